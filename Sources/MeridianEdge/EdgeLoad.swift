// EdgeLoad: what an edge is doing at one moment, for scaling and for draining runners.

/// Counts of one moment; each number is exact, but they are not read at one instant.
package struct EdgeLoad: Sendable {
    /// The load of one revision.
    package struct Revision: Sendable, Equatable {
        /// Requests that wait for a runner.
        package let parked: Int
        /// Requests taken so far, waiting and failed ones included.
        package let requests: Int
    }

    /// The load of one runner.
    package struct Runner: Sendable, Equatable {
        /// Requests and tunnels that have picked the runner and are not over.
        package let inFlight: Int
        /// Requests that picked the runner so far.
        package let requests: Int
        /// When a request last began or ended, in milliseconds of the monotonic clock; 0 for never.
        package let lastActivityMilliseconds: Int64
    }

    /// By revision key, for every revision that the table or `setRunners` named.
    package let revisions: [String: Revision]
    /// By runner id.
    ///
    /// A removed runner stays until nothing is in flight on it.
    package let runners: [String: Runner]
    /// Client connections that are open.
    package let connections: Int
}
