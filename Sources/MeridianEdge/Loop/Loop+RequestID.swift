// Loop+RequestID: the id under which a request is known to the client, the app and the logs.
internal import Glibc

extension Loop {
    /// Takes the client's `x-request-id` over where it is a short word, and makes one otherwise.
    mutating func adoptRequestID(_ client: Int32) {
        guard requestHead.requestID >= 0 else {
            makeRequestID(client)
            return
        }
        let field = requestHead.fields.spans[requestHead.requestID]
        let value = requestBytes(client, Int(field.value)..<Int(field.valueEnd))
        guard (1...Self.requestIDBytesMax).contains(value.count), value.allSatisfy(\.isRequestID),
            let base = value.baseAddress
        else {
            makeRequestID(client)
            return
        }
        memcpy(requestIDText(client), base, value.count)
        at(client).pointee.requestIDCount = UInt8(value.count)
    }

    /// 32 random hexadecimal digits.
    mutating func makeRequestID(_ client: Int32) {
        let text = requestIDText(client)
        let digits: StaticString = "0123456789abcdef"
        for half in 0..<2 {
            var bits = random.next()
            for index in 0..<16 {
                text[half * 16 + index] = digits.utf8Start[Int(bits & 15)]
                bits >>= 4
            }
        }
        at(client).pointee.requestIDCount = 32
    }

    /// The current id; valid until the next request.
    func requestID(_ client: Int32) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: requestIDText(client), count: Int(at(client).pointee.requestIDCount))
    }
}
