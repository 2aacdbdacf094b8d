// CompiledRules: what clients may do under one policy, ready for look-ups by every loop.
package import MeridianModel

/// The rules of one EdgePolicy.
package final class CompiledRules: Sendable {
    /// The policy's name.
    package let name: String
    /// Tells the counts of this policy from those of others; the same over changes of the policy.
    package let salt: Int
    /// The hosts that the policy has; none: all that no other policy has.
    package let hosts: [String]
    package let clientRate: RequestPace?
    package let hostRate: RequestPace?
    /// `Int64.max` for no bound.
    package let connectionsPerClient: Int64
    package let headBytesMax: Int
    package let targetBytesMax: Int
    /// `Int64.max` for no bound.
    package let bodyBytesMax: Int64
    package let headMilliseconds: Int64
    /// 0 for no bound.
    package let bodyBytesPerSecond: Int64
    package let bodyGraceMilliseconds: Int64
    /// Nil: clients may be anywhere.
    private let allowed: AddressSet?
    private let denied: AddressSet

    init(_ policy: RoutePolicy) {
        let rules = policy.rules
        name = policy.name
        salt = policy.name.hashValue
        hosts = rules.hosts
        clientRate = rules.clientRate.map(RequestPace.init)
        hostRate = rules.hostRate.map(RequestPace.init)
        connectionsPerClient = rules.connectionsPerClient.map(Int64.init) ?? .max
        headBytesMax = Int(rules.limits.head.bytes)
        targetBytesMax = Int(rules.limits.target.bytes)
        bodyBytesMax = rules.limits.body?.bytes ?? .max
        headMilliseconds = rules.deadlines.head.wholeMilliseconds
        bodyBytesPerSecond = rules.deadlines.bodyRate?.bytes ?? 0
        bodyGraceMilliseconds = rules.deadlines.bodyGrace.wholeMilliseconds
        allowed = rules.allow.isEmpty ? nil : AddressSet(rules.allow)
        denied = AddressSet(rules.deny)
    }

    /// Whether a client at this address (`addressNumber`) is served.
    package func admits(_ address: UInt128) -> Bool {
        !denied.contains(address) && allowed?.contains(address) ?? true
    }
}

/// A rate of requests as a virtual schedule (the generic cell rate algorithm, ITU-T I.371): requests have their turns
/// `interval` apart and may come up to `slack` before them.
package struct RequestPace: Sendable, Equatable {
    /// Nanoseconds.
    package let interval: Int64
    /// Nanoseconds.
    package let slack: Int64

    /// The schedule of a token bucket of that rate and burst.
    package init(_ rate: RequestRate) {
        let nanoseconds = Int64(rate.per / .nanoseconds(1))
        interval = max(1, nanoseconds / Int64(max(1, rate.requests)))
        let (product, overflows) = interval.multipliedReportingOverflow(
            by: Int64(max(0, (rate.burst ?? rate.requests) - 1))
        )
        // Centuries, and still far from where sums with a time would overflow.
        slack = overflows ? .max / 2 : min(product, .max / 2)
    }
}

/// Ranges of addresses; looking one up takes time logarithmic in their number.
///
/// IPv4 has a place among the numbers of IPv6, but a range of one kind holds no address of the other.
struct AddressSet: Sendable {
    private let version4: DisjointRanges
    private let version6: DisjointRanges

    /// The union of ranges in CIDR form.
    ///
    /// Texts that are none are left out: the policy was checked before.
    init(_ texts: [String]) {
        let ranges = texts.compactMap { AddressRange($0)?.bounds }
        version4 = DisjointRanges(ranges.filter(Self.isVersion4))
        version6 = DisjointRanges(ranges.filter { !Self.isVersion4($0) })
    }

    func contains(_ address: UInt128) -> Bool {
        (Self.isVersion4(address...address) ? version4 : version6).contains(address)
    }

    private static func isVersion4(_ range: ClosedRange<UInt128>) -> Bool {
        range.lowerBound >> 32 == 0xFFFF && range.upperBound >> 32 == 0xFFFF
    }
}

/// A union of ranges of numbers.
private struct DisjointRanges {
    /// Sorted, no number in two of them.
    private let ranges: [ClosedRange<UInt128>]

    init(_ all: [ClosedRange<UInt128>]) {
        var merged: [ClosedRange<UInt128>] = []
        for range in all.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
    }

    func contains(_ address: UInt128) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < address { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= address
    }
}
