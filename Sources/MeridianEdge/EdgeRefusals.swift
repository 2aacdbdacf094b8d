// EdgeRefusals: what an edge has refused by the rules of policies, or for want of memory, since it started.

/// Counts by reason; each number is exact, but they are not read at one instant.
package struct EdgeRefusals: Sendable, Equatable {
    /// Requests beyond a rate (429).
    package var rate = 0
    /// Requests from addresses that are not served (403).
    package var address = 0
    /// Requests whose target or body was too large (413, 414).
    package var size = 0
    /// Requests whose body came too slowly (408).
    package var slowBody = 0
    /// Connections beyond what their client may have (429).
    package var connectionsPerClient = 0
    /// Requests (503) and connections beyond what the edge has memory for.
    package var overload = 0

    /// Nothing refused yet.
    package init() {}

    /// The sums of `counts`, one line for each loop.
    init(_ counts: [CounterLine]) {
        rate = RuleBreach.rate.sum(counts)
        address = RuleBreach.address.sum(counts)
        size = RuleBreach.size.sum(counts)
        slowBody = RuleBreach.slowBody.sum(counts)
        connectionsPerClient = RuleBreach.connectionsPerClient.sum(counts)
        overload = RuleBreach.overload.sum(counts)
    }
}
