// Runner: one sandboxed process of one revision, as its node reports it; written by Meridian.

/// One sandboxed process of one revision.
package typealias Runner = Resource<RunnerSpec, RunnerStatus>

/// `spec` of a Runner.
package struct RunnerSpec: ResourceSpec {
    package static let kind = "Runner"

    package var app: String = ""
    package var revision: String = ""
    package var node: String = ""

    package init() {}

    package static let shape: Shape<RunnerSpec> = Shape(
        "RunnerSpec",
        "One sandboxed process of one revision.",
        fields: [
            .init(required: "app", \.app, "The app's name."),
            .init(required: "revision", \.revision, "The revision's name."),
            .init(required: "node", \.node, "The node it runs on."),
        ]
    )
}

/// `status` of a Runner.
package struct RunnerStatus: Shaped {
    package var state: RunnerState = .starting
    package var pid: Int = 0
    package var startedAt: Timestamp?

    package init() {}

    package static let shape: Shape<RunnerStatus> = Shape(
        "RunnerStatus",
        "What a node reports of a runner.",
        fields: [
            .init("state", \.state, default: .starting, "Where in its life the runner is."),
            .init("pid", \.pid, default: 0, "The process id on the node."),
            .init("startedAt", optional: \.startedAt, "When it was started."),
        ]
    )
}
