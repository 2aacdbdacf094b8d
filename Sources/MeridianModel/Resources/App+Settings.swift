// App+Settings: the groups of settings inside an app's spec.

/// `spec.resources` of an App: what one runner may use.
package struct AppResources: Shaped {
    package var memory: ByteQuantity = .mebibytes(256)
    package var cpu: CPUQuantity = CPUQuantity(millicores: 1000)
    package var pids: Int = 64
    package var tmp: ByteQuantity = .mebibytes(64)

    package init() {}

    package static let shape: Shape<AppResources> = Shape(
        "AppResources",
        "What one runner may use.",
        fields: [
            .init(
                "memory",
                \.memory,
                default: .mebibytes(256),
                "Memory; a runner beyond it is killed.",
                .range(.mebibytes(4)...(.mebibytes(1 << 20)))
            ),
            .init(
                "cpu",
                \.cpu,
                default: CPUQuantity(millicores: 1000),
                "Processor time.",
                .range(CPUQuantity(millicores: 10)...CPUQuantity(millicores: 1_000_000))
            ),
            .init("pids", \.pids, default: 64, "Processes and threads together.", .range(1...32768)),
            .init(
                "tmp",
                \.tmp,
                default: .mebibytes(64),
                "The size of /tmp, which is $HOME too; held in memory.",
                .range(ByteQuantity(bytes: 4096)...(.mebibytes(1 << 16)))
            ),
        ]
    )
}

/// `spec.files` of an App.
package struct AppFiles: Shaped {
    package var writable: Bool = false

    package init() {}

    package static let shape: Shape<AppFiles> = Shape(
        "AppFiles",
        "The file system that a runner sees.",
        fields: [
            .init("writable", \.writable, default: false, "Whether a throw-away writable layer lies over /app.")
        ]
    )
}

/// `spec.health` of an App.
package struct AppHealth: Shaped {
    package var path: String?
    package var timeout: Duration = .seconds(10)

    package init() {}

    package static let shape: Shape<AppHealth> = Shape(
        "AppHealth",
        "When a runner counts as ready.",
        fields: [
            .init(
                "path",
                optional: \.path,
                "The path that must answer 2xx or 3xx; without it a connection is enough.",
                .rule { $0.hasPrefix("/") ? nil : "\"\($0)\" must begin with /" },
                .text(atMost: 1024)
            ),
            .init(
                "timeout",
                \.timeout,
                default: .seconds(10),
                "How long a new runner may take to become ready.",
                .range(.milliseconds(100)...(.seconds(300)))
            ),
        ]
    )
}

/// `spec.scaling` of an App.
package struct AppScaling: Shaped {
    package var min: Int = 0
    package var max: Int = 10
    package var target: AppScalingTarget = AppScalingTarget()
    package var idleAfter: Duration = .seconds(60)
    package var standby: Standby = .stop

    package init() {}

    package static let shape: Shape<AppScaling> = Shape(
        "AppScaling",
        "How many runners there are.",
        fields: [
            .init("min", \.min, default: 0, "Runners that stay up although idle.", .range(0...1000)),
            .init("max", \.max, default: 10, "Runners at most.", .range(1...1000)),
            .init("target", \.target, default: AppScalingTarget(), "What scaling aims at."),
            .init(
                "idleAfter",
                \.idleAfter,
                default: .seconds(60),
                "How long a runner without a request stays.",
                .range(.milliseconds(100)...(.seconds(86_400)))
            ),
            .init("standby", \.standby, default: .stop, "What becomes of a runner that was idle for so long."),
        ],
        rules: [
            ShapeRule { scaling, path, context in
                guard scaling.min > scaling.max else { return }
                let place = path["min"]
                context.add(
                    .invalid,
                    at: place,
                    "\(place): \(scaling.min) is more than max, \(scaling.max); raise max or lower min"
                )
            }
        ]
    )
}

/// What becomes of a runner that had no request for `idleAfter`.
package enum Standby: String, WordShapeValue {
    /// It is kept without processor time for some minutes: the next request finds it `warm`.
    case pause
    /// It ends, and the next request starts another.
    case stop
}

/// `spec.scaling.target` of an App.
package struct AppScalingTarget: Shaped {
    package var concurrency: Int = 50

    package init() {}

    package static let shape: Shape<AppScalingTarget> = Shape(
        "AppScalingTarget",
        "What scaling aims at.",
        fields: [
            .init(
                "concurrency",
                \.concurrency,
                default: 50,
                "Requests in flight per runner.",
                .range(1...10_000)
            )
        ]
    )
}

/// `spec.regions` of an App.
package struct AppRegions: Shaped {
    package var preferred: [String] = []

    package init() {}

    package static let shape: Shape<AppRegions> = Shape(
        "AppRegions",
        "Where the app runs.",
        fields: [
            .init(
                "preferred",
                \.preferred,
                default: [],
                "Region names or aliases in order of preference; none: any region, the nearest wins.",
                .rule {
                    $0.lazy.filter { !isDNSLabel($0.lowercased()) }.first.map { "\"\($0)\" is not a region name" }
                }
            )
        ]
    )
}
