// CompiledRouteTable+Text: picks by text, for callers that are not in a hurry.

extension CompiledRouteTable {
    /// Picks by the same rules as `RouteView`.
    ///
    /// - Parameters:
    ///   - host: the Host header's value.
    ///   - method: the method.
    ///   - target: the path with its query.
    ///   - fields: the header fields in order, cookies among them.
    ///   - override: the value of `x-meridian-revision`.
    ///   - draw: uniformly random; not used where a sticky header decides.
    /// - Returns: what became of it; nil for an unknown host.
    package func pick(
        host: String,
        method: String = "GET",
        target: String = "/",
        _ fields: KeyValuePairs<String, String> = [:],
        override: String? = nil,
        draw: UInt64
    ) -> Pick? {
        var text = Array("\(method) \(target)".utf8)
        let targetRange = method.utf8.count + 1..<text.count
        let places = fields.map { name, value in
            func place(_ part: String) -> Range<Int32> {
                defer { text += Array(part.utf8) }
                return Int32(text.count)..<Int32(text.count + part.utf8.count)
            }
            return RoutedField(name: place(name), value: place(value))
        }
        let plan = Array(host.utf8).withUnsafeBufferPointer { view.plan(forHost: $0) }
        guard let plan else { return nil }
        return text.withUnsafeBufferPointer { bytes in
            places.withUnsafeBufferPointer { places in
                // The text is never empty: a method and a blank stand in it.
                guard let base = bytes.baseAddress else { return nil }
                let request = RoutedRequest(base, method: 0..<method.utf8.count, target: targetRange, fields: places)
                let choice = view.choice(plan, for: request)
                let draw = view.draw(choice, request) ?? draw
                let sticky = view.sticky(choice, request)
                guard let override else { return view.pick(plan, choice, override: nil, sticky: sticky, draw: draw) }
                return Array(override.utf8).withUnsafeBufferPointer {
                    view.pick(plan, choice, override: $0, sticky: sticky, draw: draw)
                }
            }
        }
    }
}
