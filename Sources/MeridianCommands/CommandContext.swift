// CommandContext: what a verb uses of the process around it, so that tests can put something else in its place.

internal import Glibc
internal import MeridianModel

/// The surroundings of a verb.
package struct CommandContext: Sendable {
    /// The surroundings of the verb that runs in this task; those of the process where nobody set others.
    @TaskLocal package static var current = CommandContext.process

    /// Standard output: what was asked for, and nothing else.
    var output: any TextSink
    /// Standard error: errors, warnings, progress.
    var errors: any TextSink
    /// All of standard input; nil: the reader of manifests reads it itself.
    var standardInput: @Sendable () -> [UInt8]?
    /// A variable of the environment; nil where it is not set.
    var environment: @Sendable (String) -> String?
    var now: @Sendable () -> Timestamp
    /// A client of a server.
    var connect: @Sendable (ServerAccess) throws -> any ControlPlaneAPI

    /// The process itself.
    package static let process = CommandContext(
        output: StandardStream.output,
        errors: StandardStream.errors,
        standardInput: { nil },
        environment: { name in getenv(name).map { String(cString: $0) } },
        now: currentTime,
        connect: connectedClient
    )
}

private func currentTime() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
}
