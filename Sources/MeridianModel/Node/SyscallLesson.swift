// SyscallLesson: which syscalls a program made while it was watched, and how it was driven meanwhile.

/// How a program is driven while its syscalls are learned.
package struct LearnSettings: Shaped {
    /// A quarter of an hour is longer than a person waits, and short for a sandbox whose program may do more.
    package static let durationRange = Duration.seconds(1)...Duration.seconds(900)
    /// Requests are made one after the other: more paths than these would not come round.
    package static let pathsMax = 64
    /// What servers take in a request line.
    private static let pathBytesMax = 2048

    /// How long the program runs.
    package var duration: Duration = .seconds(60)
    /// What is requested of it, again and again, as in `/users?id=1`.
    package var paths: [String] = ["/"]

    package init() {}

    package static let shape: Shape<LearnSettings> = Shape(
        "LearnSettings",
        "How a program is driven while its syscalls are learned.",
        fields: [
            .init("duration", \.duration, default: .seconds(60), "How long the program runs.", .range(durationRange)),
            .init("paths", \.paths, default: ["/"], "What is requested of it.", .rule(fault)),
        ]
    )

    /// A path goes into a request line as it is.
    private static func fault(_ paths: [String]) -> String? {
        guard paths.count <= pathsMax else { return "\(paths.count) are too many; give \(pathsMax) at most" }
        let isWrong = { (path: String) in
            !path.hasPrefix("/") || path.utf8.count > pathBytesMax
                || !path.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        }
        guard let wrong = paths.first(where: isWrong) else { return nil }
        return "\"\(wrong.prefix(80))\" is no path; begin with / and write other characters than ASCII as %XX"
    }
}

/// The syscalls that a program made.
package struct SyscallLesson: Shaped {
    /// `namespace/name` of the revision.
    package var revision: String = ""
    /// Every syscall that it made, by name and sorted, but those that are always allowed.
    package var syscalls: [String] = []
    /// Those of them that failed all the same, since no sandbox may make them while it learns.
    package var refused: [String] = []
    /// What came of its port check, in words.
    package var check: String = ""
    package var requests: [LessonRequest] = []
    /// How long it ran.
    package var elapsed: Duration = .zero

    package init() {}

    package static let shape: Shape<SyscallLesson> = Shape(
        "SyscallLesson",
        "The syscalls that a program made.",
        fields: [
            .init(required: "revision", \.revision, "namespace/name of the revision."),
            .init("syscalls", \.syscalls, default: [], "Every syscall that it made."),
            .init("refused", \.refused, default: [], "Those that failed all the same."),
            .init("check", \.check, default: "", "What came of its port check."),
            .init("requests", \.requests, default: [], "What was requested of it."),
            .init("elapsed", \.elapsed, default: .zero, "How long it ran."),
        ]
    )
}

/// One path that was requested.
package struct LessonRequest: Shaped, Equatable {
    package var path: String = ""
    package var count: Int = 0
    /// What the last request met, as in `answered` or `GET /x answered 404`.
    package var answer: String = ""

    package init() {}

    package init(_ path: String) { self.path = path }

    package static let shape: Shape<LessonRequest> = Shape(
        "LessonRequest",
        "One path that was requested.",
        fields: [
            .init(required: "path", \.path, "The path."),
            .init("count", \.count, default: 0, "How often it was requested."),
            .init("answer", \.answer, default: "", "What the last request met."),
        ]
    )
}
