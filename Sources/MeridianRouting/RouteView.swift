// RouteView: the look-ups of a compiled route table, over packed memory and without allocation.
package import MeridianModel

/// A revision or an address that the table sends requests to, stored once however many hosts name it.
package enum RouteSlot: Sendable, Hashable {
    /// The revision's key, `namespace/name`.
    case revision(String)
    case address(NumericAddress)
}

/// What became of a pick.
package struct Pick: Sendable, Equatable {
    package enum Outcome: UInt8, Sendable {
        /// `slot` is the backend.
        case backend
        /// The host has no backend that serves.
        case noBackend
        /// The override header names a revision that the host does not offer.
        case unknownOverride
    }

    package let outcome: Outcome
    /// Index into `CompiledRouteTable.slots`; -1 without a backend.
    package let slot: Int32
    /// Index for `RouteView.setCookie`, where the answer has to set the sticky cookie; otherwise -1.
    package let cookie: Int32

    package init(outcome: Outcome, slot: Int32 = -1, cookie: Int32 = -1) {
        self.outcome = outcome
        self.slot = slot
        self.cookie = cookie
    }
}

/// The trivial, non-owning face of a `CompiledRouteTable`; valid as long as the table lives.
///
/// `@unchecked Sendable`: the memory behind the pointers is written before the table is published and never after.
package struct RouteView: @unchecked Sendable {
    struct Span {
        var offset: Int32 = 0
        var count: Int32 = 0
    }

    struct Host {
        var name = Span()
        var hash: UInt32 = 0
        var plan: Int32 = 0
    }

    /// What happens to a request; hosts that are treated alike share one.
    struct Plan {
        var choice: Int32 = 0
        var rules: Range<Int32> = 0..<0
        var overrides: Range<Int32> = 0..<0
        /// The slot that gets copies, and the percent that is copied; -1 and 0 for none.
        var mirror: Int32 = -1
        var mirrorWeight: Int32 = 0
        var timeoutMilliseconds: Int64 = 0
        var allowsOverride = false
        var isSecureOnly = false
        /// Index of what clients may do; -1: anything.
        var policy: Int32 = -1
        var looksAtHead = false
    }

    /// Who answers the requests of a plan that no rule takes, or those of one rule.
    struct Choice {
        var backends: Range<Int32> = 0..<0
        /// Where a sticky cookie may lead beside the backends.
        var kept: Range<Int32> = 0..<0
        var cookie = Span()
        /// The sticky header's name, in lower case.
        var header = Span()
        /// The first of `pointCount` entries of `points`; -1 without a sticky header.
        var points: Int32 = -1
    }

    struct Rule {
        /// Empty: every request matches.
        var matches: Range<Int32> = 0..<0
        var choice: Int32 = 0
    }

    struct Match {
        var method = Span()
        /// Without a slash at its end; empty: any path.
        var path = Span()
        var conditions: Range<Int32> = 0..<0
    }

    struct Condition {
        enum Kind: UInt8 { case exact, prefix, present }

        /// A header's is in lower case.
        var name = Span()
        var value = Span()
        var kind = Kind.present
        var isCookie = false
    }

    struct Backend {
        var slot: Int32 = 0
        /// What a sticky cookie or an override header calls the backend.
        var name = Span()
        /// The sum of the weights up to and including this one.
        var cumulative: Int32 = 0
        var weight: Int32 = 0
        var setCookie = Span()
    }

    let text: UnsafeMutablePointer<UInt8>
    let hosts: UnsafeMutablePointer<Host>
    let plans: UnsafeMutablePointer<Plan>
    let choices: UnsafeMutablePointer<Choice>
    let rules: UnsafeMutablePointer<Rule>
    let matches: UnsafeMutablePointer<Match>
    let conditions: UnsafeMutablePointer<Condition>
    /// Indices of backends, `pointCount` for each choice with a sticky header.
    let points: UnsafeMutablePointer<Int32>
    let backends: UnsafeMutablePointer<Backend>
    /// Host indices by hash, -1 where empty; a power of two, at most half full, so that a probe always ends.
    let buckets: UnsafeMutablePointer<Int32>
    let bucketMask: Int

    /// The plan of the host that a Host header's value names, for the other look-ups; nil for an unknown host.
    ///
    /// The port and one trailing dot are ignored and ASCII case does not count.
    package func plan(forHost value: UnsafeBufferPointer<UInt8>) -> Int32? {
        let count = Self.nameLength(value)
        guard count > 0 else { return nil }
        let hash = Self.hash(value, count)
        var bucket = Int(hash) & bucketMask
        while buckets[bucket] >= 0 {
            let host = hosts + Int(buckets[bucket])
            if host.pointee.hash == hash, equalsIgnoringCase(host.pointee.name, value, count) {
                return host.pointee.plan
            }
            bucket = (bucket + 1) & bucketMask
        }
        return nil
    }

    /// Chooses the backend of one request by its host's plan and the choice that its rules led to.
    ///
    /// `override` is the value of `x-meridian-revision`, `sticky` that of the choice's sticky cookie; nil where absent.
    /// `draw` is uniformly random, or the hash of the sticky header's value; equal draws pick alike.
    package func pick(
        _ plan: Int32,
        _ choice: Int32,
        override: UnsafeBufferPointer<UInt8>?,
        sticky: UnsafeBufferPointer<UInt8>?,
        draw: UInt64
    ) -> Pick {
        let entry = plans[Int(plan)]
        if let override, entry.allowsOverride {
            guard let index = backend(named: override, in: entry.overrides) else {
                return Pick(outcome: .unknownOverride)
            }
            return Pick(outcome: .backend, slot: backends[Int(index)].slot)
        }
        let choice = choices[Int(choice)]
        guard !choice.backends.isEmpty else { return Pick(outcome: .noBackend) }
        if let sticky, let index = stuck(sticky, choice) {
            return Pick(outcome: .backend, slot: backends[Int(index)].slot)
        }
        let point = Int32(truncatingIfNeeded: draw % UInt64(Self.pointCount))
        if choice.points >= 0 {
            return Pick(outcome: .backend, slot: backends[Int(points[Int(choice.points + point)])].slot)
        }
        // Weights sum to 100, so the last backend's cumulative weight is beyond every point.
        var index = choice.backends.lowerBound
        while point >= backends[Int(index)].cumulative { index += 1 }
        return Pick(outcome: .backend, slot: backends[Int(index)].slot, cookie: choice.cookie.count > 0 ? index : -1)
    }

    /// Weights are whole percents, so each backend has as many of these points as its weight.
    package static let pointCount = 100

    /// The backend that a sticky cookie names: one with a share, or one that clients are kept on.
    private func stuck(_ name: UnsafeBufferPointer<UInt8>, _ choice: Choice) -> Int32? {
        if let index = backend(named: name, in: choice.backends), backends[Int(index)].weight > 0 { return index }
        return backend(named: name, in: choice.kept)
    }

    /// The choice of a plan without rules, and of a request that no rule takes.
    @inline(__always)
    package func choice(_ plan: Int32) -> Int32 { plans[Int(plan)].choice }

    /// Whether some of a plan's requests are copied.
    @inline(__always)
    package func hasMirror(_ plan: Int32) -> Bool { plans[Int(plan)].mirrorWeight > 0 }

    /// The slot that gets a copy of a request; -1 where this one is not copied.
    ///
    /// `draw` is uniformly random.
    package func mirror(_ plan: Int32, draw: UInt64) -> Int32 {
        Int32(truncatingIfNeeded: draw % 100) < plans[Int(plan)].mirrorWeight ? plans[Int(plan)].mirror : -1
    }

    /// How many backends a choice has.
    package func backendCount(_ choice: Int32) -> Int32 { Int32(choices[Int(choice)].backends.count) }

    /// The slot of one of a choice's backends; -1 where that has no share.
    package func slot(_ choice: Int32, _ index: Int32) -> Int32 {
        let backend = backends[Int(choices[Int(choice)].backends.lowerBound + index)]
        return backend.weight > 0 ? backend.slot : -1
    }

    /// Whether more than the host of a request counts: rules or a sticky header.
    @inline(__always)
    package func looksAtHead(_ plan: Int32) -> Bool { plans[Int(plan)].looksAtHead }

    /// The name of a choice's sticky cookie; nil where it has none.
    package func stickyCookie(_ choice: Int32) -> UnsafeBufferPointer<UInt8>? {
        let cookie = choices[Int(choice)].cookie
        return cookie.count > 0 ? bytes(cookie) : nil
    }

    /// The whole value of the Set-Cookie field for a pick's `cookie`, without `Secure`.
    package func setCookie(_ cookie: Int32) -> UnsafeBufferPointer<UInt8> { bytes(backends[Int(cookie)].setCookie) }

    /// How long a request may take, parking included.
    package func timeoutMilliseconds(_ plan: Int32) -> Int64 { plans[Int(plan)].timeoutMilliseconds }

    /// Whether a request without TLS is redirected.
    package func isSecureOnly(_ plan: Int32) -> Bool { plans[Int(plan)].isSecureOnly }

    /// Index into `CompiledRouteTable.policies`; -1 where clients may do anything.
    package func policy(_ plan: Int32) -> Int32 { plans[Int(plan)].policy }

    /// Whether a request may name its revision.
    package func allowsOverride(_ plan: Int32) -> Bool { plans[Int(plan)].allowsOverride }

    func bytes(_ span: Span) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text + Int(span.offset), count: Int(span.count))
    }

    private func backend(named name: UnsafeBufferPointer<UInt8>, in range: Range<Int32>) -> Int32? {
        var index = range.lowerBound
        while index < range.upperBound {
            if equals(backends[Int(index)].name, name) { return index }
            index += 1
        }
        return nil
    }

    private func equals(_ span: Span, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard Int(span.count) == name.count else { return false }
        let own = text + Int(span.offset)
        for index in 0..<name.count where own[index] != name[index] { return false }
        return true
    }

    private func equalsIgnoringCase(_ span: Span, _ name: UnsafeBufferPointer<UInt8>, _ count: Int) -> Bool {
        guard Int(span.count) == count else { return false }
        let own = text + Int(span.offset)
        for index in 0..<count where own[index] != Self.lowered(name[index]) { return false }
        return true
    }

    /// A hash of the host that a Host header's value names, however it is written.
    package static func hash(ofHost value: UnsafeBufferPointer<UInt8>) -> UInt32 { hash(value, nameLength(value)) }

    /// The length of the name before the port and a trailing dot.
    private static func nameLength(_ value: UnsafeBufferPointer<UInt8>) -> Int {
        var count = value.count
        var index = value.count - 1
        while index >= 0, value[index] >= 0x30, value[index] <= 0x39 { index -= 1 }
        if index >= 0, value[index] == UInt8(ascii: ":") { count = index }
        if count > 1, value[count - 1] == UInt8(ascii: ".") { count -= 1 }
        return count
    }

    /// FNV-1a over the name in lower case.
    ///
    /// Only an operator adds hosts, so collisions cannot be forced from outside.
    static func hash(_ value: UnsafeBufferPointer<UInt8>, _ count: Int) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for index in 0..<count { hash = (hash ^ UInt32(lowered(value[index]))) &* 16_777_619 }
        return hash
    }

    static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
