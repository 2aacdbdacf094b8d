// DrainSwitch: ends the node from inside, as SIGTERM does from outside.
internal import ServiceLifecycle

/// A service that ends when it is told to; its group then shuts down gracefully.
package final class DrainSwitch: Service {
    private let turns: AsyncStream<Void>
    private let turning: AsyncStream<Void>.Continuation

    package init() { (turns, turning) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Begins the shutdown; turning it again changes nothing.
    package func turn() { turning.yield() }

    /// Returns when the switch is turned, or the node ends for another reason.
    package func run() async throws {
        for try await _ in turns.cancelOnGracefulShutdown() { return }
    }
}
