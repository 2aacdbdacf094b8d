// Loop+Routing: what of a request's head decides where it goes.
internal import MeridianRouting

extension Loop {
    /// Which shares the request whose head has just been parsed is drawn from, and by what number.
    mutating func way(_ client: Int32, _ plan: Int32, _ view: RouteView) -> (choice: Int32, draw: UInt64) {
        guard view.looksAtHead(plan) else { return (view.choice(plan), random.next()) }
        let request = routedRequest(client)
        let choice = view.choice(plan, for: request)
        return (choice, view.draw(choice, request) ?? random.next())
    }

    /// Chooses the backend of the request.
    func pick(_ client: Int32, _ plan: Int32, _ choice: Int32, _ draw: UInt64, _ view: RouteView) -> Pick {
        var override: UnsafeBufferPointer<UInt8>?
        if requestHead.revision >= 0, view.allowsOverride(plan) {
            let field = requestHead.fields.spans[requestHead.revision]
            override = requestBytes(client, Int(field.value)..<Int(field.valueEnd))
        }
        var sticky: UnsafeBufferPointer<UInt8>?
        if requestHead.hasCookies, let name = view.stickyCookie(choice) { sticky = cookie(client, named: name) }
        return view.pick(plan, choice, override: override, sticky: sticky, draw: draw)
    }

    /// The target of a slot, made ready for the table in force.
    mutating func target(ofSlot slot: Int32) -> Int32 {
        guard let slotTargets else { preconditionFailure("a view without its targets") }
        let target = slotTargets[Int(slot)]
        if targetSerials[Int(target)] != tableSerial { prepare(slot) }
        return target
    }

    /// The parsed head as rules look at it; valid until the client's input or the next head changes.
    private func routedRequest(_ client: Int32) -> RoutedRequest {
        let fields = requestHead.fields
        for index in 0..<fields.count {
            let span = fields.spans[index]
            // As many places as a head has fields at most.
            (routedFields + index).initialize(
                to: RoutedField(name: span.line..<span.nameEnd, value: span.value..<span.valueEnd)
            )
        }
        return RoutedRequest(
            at(client).pointee.input.filled,
            method: 0..<requestHead.methodEnd,
            target: requestHead.path,
            fields: UnsafeBufferPointer(start: routedFields, count: fields.count)
        )
    }

    private func cookie(_ client: Int32, named name: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        for index in 0..<requestHead.fields.count where requestHead.fields.spans[index].name == .cookie {
            let field = requestHead.fields.spans[index]
            let value = requestBytes(client, Int(field.value)..<Int(field.valueEnd))
            if let range = cookieValue(named: name, in: value) { return UnsafeBufferPointer(rebasing: value[range]) }
        }
        return nil
    }
}
