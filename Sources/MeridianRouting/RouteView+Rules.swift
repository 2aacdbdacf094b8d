// RouteView+Rules: which rule takes a request, and what the value of a sticky header draws.

extension RouteView {
    /// The choice of the first rule that takes the request, else the plan's own; allocates nothing.
    package func choice(_ plan: Int32, for request: RoutedRequest) -> Int32 {
        let entry = plans[Int(plan)]
        var index = entry.rules.lowerBound
        while index < entry.rules.upperBound {
            let rule = rules[Int(index)]
            if takes(rule, request) { return rule.choice }
            index += 1
        }
        return entry.choice
    }

    private func takes(_ rule: Rule, _ request: RoutedRequest) -> Bool {
        guard !rule.matches.isEmpty else { return true }
        var index = rule.matches.lowerBound
        while index < rule.matches.upperBound {
            if holds(matches[Int(index)], request) { return true }
            index += 1
        }
        return false
    }

    /// What the value of the choice's sticky header draws; nil where it has none or the request does not say it.
    package func draw(_ choice: Int32, _ request: RoutedRequest) -> UInt64? {
        let header = choices[Int(choice)].header
        guard header.count > 0 else { return nil }
        for index in 0..<request.fieldCount {
            if let value = request.value(index, named: bytes(header)) { return Self.draw(of: value) }
        }
        return nil
    }

    /// The value of the choice's sticky cookie; nil where it has none or the request does not send it.
    package func sticky(_ choice: Int32, _ request: RoutedRequest) -> UnsafeBufferPointer<UInt8>? {
        guard let name = stickyCookie(choice) else { return nil }
        return cookie(named: name, of: request)
    }

    /// The first cookie of a name.
    private func cookie(
        named name: UnsafeBufferPointer<UInt8>,
        of request: RoutedRequest
    ) -> UnsafeBufferPointer<UInt8>? {
        for index in 0..<request.fieldCount {
            guard let field = request.value(index, named: Self.cookieField),
                let range = cookieValue(named: name, in: field)
            else { continue }
            return UnsafeBufferPointer(rebasing: field[range])
        }
        return nil
    }

    private func holds(_ match: Match, _ request: RoutedRequest) -> Bool {
        if match.method.count > 0, !isSame(bytes(match.method), request.method) { return false }
        if match.path.count > 0, !isBelow(bytes(match.path), request.path) { return false }
        var index = match.conditions.lowerBound
        while index < match.conditions.upperBound {
            guard holds(conditions[Int(index)], request) else { return false }
            index += 1
        }
        return true
    }

    /// Of several fields of one name it is enough that one fits.
    private func holds(_ condition: Condition, _ request: RoutedRequest) -> Bool {
        let name = bytes(condition.name)
        if condition.isCookie {
            guard let value = cookie(named: name, of: request) else { return false }
            return fits(value, condition)
        }
        for index in 0..<request.fieldCount {
            if let value = request.value(index, named: name), fits(value, condition) { return true }
        }
        return false
    }

    private static var cookieField: UnsafeBufferPointer<UInt8> {
        let name: StaticString = "cookie"
        return UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    }

    private func fits(_ value: UnsafeBufferPointer<UInt8>, _ condition: Condition) -> Bool {
        switch condition.kind {
        case .present: true
        case .exact: isSame(bytes(condition.value), value)
        case .prefix: isBeginning(bytes(condition.value), value)
        }
    }

    private func isSame(_ wanted: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
        wanted.count == value.count && isBeginning(wanted, value)
    }

    private func isBeginning(_ wanted: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard wanted.count <= value.count else { return false }
        for index in 0..<wanted.count where wanted[index] != value[index] { return false }
        return true
    }

    /// Whole segments only: `/v2` is not the beginning of `/v20`.
    private func isBelow(_ prefix: UnsafeBufferPointer<UInt8>, _ path: UnsafeBufferPointer<UInt8>) -> Bool {
        guard isBeginning(prefix, path) else { return false }
        return path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/")
    }

    /// What a sticky header's value draws: the same on every node and at every time.
    ///
    /// FNV-1a with a last mix, so that values which differ in their last byte alone spread as well. A client that picks
    /// its value picks its backend, which a cookie lets it do as well.
    package static func draw(of value: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in value { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return StickyPoints.mixed(hash)
    }
}
