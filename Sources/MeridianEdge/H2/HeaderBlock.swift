// HeaderBlock: the fields of an answer as nghttp2 takes them: lower case, without those of an HTTP/1.1 connection.
internal import CNGHTTP2

/// Names and values in one stretch of memory, with their places.
struct HeaderBlock {
    private var text: [UInt8] = []
    private var places: [(name: Range<Int>, value: Range<Int>)] = []

    init(status: Int) { add(Array(":status".utf8), Array(String(status).utf8)) }

    /// The trailers of a chunked body: the lines behind its last chunk, already checked by the tracker.
    init(trailers: [UInt8]) {
        for line in trailers.split(separator: .lineFeed) {
            guard let colon = line.firstIndex(of: .colon) else { continue }
            let value = line[(colon + 1)...].drop(while: \.isBlank).prefix { $0 != .carriageReturn }
            add(line[..<colon].map(\.lowered), Array(value))
        }
    }

    /// Adds the fields of an HTTP/1.1 head but those of its connection (RFC 9113 §8.2.2).
    mutating func take(_ fields: FieldLines, _ bytes: Bytes) {
        for index in 0..<fields.count {
            let field = fields.spans[index]
            switch field.name {
            case .connection, .transferEncoding, .upgrade, .hop: continue
            default: break
            }
            let name = UnsafeBufferPointer(start: bytes + Int(field.line), count: Int(field.nameEnd - field.line))
            let value = UnsafeBufferPointer(
                start: bytes + Int(field.value),
                count: Int(field.valueEnd - field.value)
            )
            if name.elementsEqual("sec-websocket-accept".utf8, by: { $0.lowered == $1 }) { continue }
            add(name.map(\.lowered), Array(value))
        }
    }

    /// Calls `body` with nghttp2's form, whose memory is valid within the call.
    mutating func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        text.withUnsafeMutableBufferPointer { memory in
            let fields = places.map { place in
                nghttp2_nv(
                    name: memory.baseAddress.map { $0 + place.name.lowerBound },
                    value: memory.baseAddress.map { $0 + place.value.lowerBound },
                    namelen: place.name.count,
                    valuelen: place.value.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
                )
            }
            return fields.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
        }
    }

    private mutating func add(_ name: [UInt8], _ value: [UInt8]) {
        let start = text.count
        text += name
        text += value
        let middle = start + name.count
        places.append((start..<middle, middle..<text.count))
    }
}
