// CompiledRouteTable: a validated route table in packed memory, built once and then only read.
package import MeridianModel

/// A route table that an edge can serve by.
///
/// Building it is the validation: a table that compiles has unique hosts, weights that sum to 100 and addresses that
/// parse. Look-ups go through `view`, which must not outlive the table.
package final class CompiledRouteTable: Sendable {
    /// A table beyond this is a mistake of its maker: the look-up memory would pass 100 MB.
    package static let hostsMax = 1_000_000

    package let number: Int
    /// Every backend that the table names, once, in order of first mention.
    package let slots: [RouteSlot]
    /// The region that serves each slot, in the order of `slots`; empty: the edge's own.
    package let regions: [String]
    package let view: RouteView
    /// What clients may do, by `RouteView.policy`.
    package let policies: [CompiledRules]
    /// The rules for what no host is known of yet; nil where there is no policy without hosts.
    package let standing: CompiledRules?
    /// Bytes of the memory behind `view`.
    package let byteCount: Int

    /// Validates and packs `table`.
    ///
    /// Takes time linear in the size of the table. Throws the first fault in the order of the hosts.
    package init(_ table: RouteTable) throws(RouteTableError) {
        guard table.hosts.count <= Self.hostsMax else {
            throw RouteTableError(
                code: .tooLarge,
                host: "",
                message: "\(table.hosts.count) hosts; keep it at \(Self.hostsMax) or fewer"
            )
        }
        var packing = try RoutePacking(policies: table.policies)
        for route in table.hosts { try packing.add(route) }
        number = table.number
        slots = packing.slots
        regions = packing.regions
        view = packing.packed()
        let policies = packing.policies.map(CompiledRules.init)
        self.policies = policies
        standing = packing.standing.map { policies[Int($0)] }
        byteCount = packing.byteCount
    }

    deinit {
        view.text.deallocate()
        view.hosts.deallocate()
        view.plans.deallocate()
        view.choices.deallocate()
        view.rules.deallocate()
        view.matches.deallocate()
        view.conditions.deallocate()
        view.points.deallocate()
        view.backends.deallocate()
        view.buckets.deallocate()
    }
}
