// RoutedRequest: a request's head as rules look at it: places in its bytes.

/// One field line: where its name and value are.
package struct RoutedField {
    let name: Range<Int32>
    let value: Range<Int32>

    package init(name: Range<Int32>, value: Range<Int32>) {
        self.name = name
        self.value = value
    }
}

/// What rules may ask of a request; valid as long as the bytes are.
package struct RoutedRequest {
    private let bytes: UnsafePointer<UInt8>
    let method: UnsafeBufferPointer<UInt8>
    /// Without the query; empty for `/` that was left out.
    let path: UnsafeBufferPointer<UInt8>
    private let fields: UnsafeBufferPointer<RoutedField>

    /// A request whose head stands at `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: what the ranges count from.
    ///   - method: the method.
    ///   - target: the path with its query; the query is cut off.
    ///   - fields: the field lines in order.
    package init(
        _ bytes: UnsafePointer<UInt8>,
        method: Range<Int>,
        target: Range<Int>,
        fields: UnsafeBufferPointer<RoutedField>
    ) {
        self.bytes = bytes
        self.method = UnsafeBufferPointer(start: bytes + method.lowerBound, count: method.count)
        var count = 0
        while count < target.count, bytes[target.lowerBound + count] != UInt8(ascii: "?") { count += 1 }
        path = UnsafeBufferPointer(start: bytes + target.lowerBound, count: count)
        self.fields = fields
    }

    var fieldCount: Int { fields.count }

    /// The value of field `index` where its name is `name`, which is in lower case; nil otherwise.
    func value(_ index: Int, named name: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        let field = fields[index]
        guard field.name.count == name.count else { return nil }
        let own = bytes + Int(field.name.lowerBound)
        for index in 0..<name.count where RouteView.lowered(own[index]) != name[index] { return nil }
        return UnsafeBufferPointer(start: bytes + Int(field.value.lowerBound), count: field.value.count)
    }
}
