// Loop+Forwarding: handing a request to its runner: the head as the runner gets it.
internal import CLinux
internal import MeridianRouting

extension Loop {
    /// Sends the parsed request of `client` to `runner`, on which a place is taken.
    mutating func forward(_ client: Int32, _ runner: Int32) {
        let connection = at(client)
        connection.pointee.runner = runner
        connection.pointee.attempts += 1
        let upstream = takeUpstream(runner)
        guard upstream >= 0 else {
            // The next runner needs the head again, which is still in the input.
            let target = connection.pointee.target
            noteRunnerFailure(runner)
            releaseRunner(client)
            let other = connection.pointee.attempts < Self.attemptsMax ? acquire(target, excluding: runner) : -1
            if other >= 0 { forward(client, other) } else { answer(client, .cannotConnect) }
            return
        }
        writeRequestHead(client, upstream)
        connection.pointee.input.drop(requestHead.length)
        connection.pointee.headLength = 0
        connection.pointee.peer = upstream
        connection.pointee.phase = .exchange
        at(upstream).pointee.peer = client
        if connection.pointee.request.contains(.expectsContinue), connection.pointee.input.count == 0 {
            pool.lend(to: &connection.pointee.output)
            var writer = HeadWriter(connection.pointee.output)
            writer.write("HTTP/1.1 100 Continue\r\n\r\n")
            connection.pointee.output.end = Int32(writer.end)
            flush(connection)
        }
        watchBody(client)
        pumpRequest(client)
    }

    /// Writes the head: the client's fields without those of one connection, then the edge's own.
    private mutating func writeRequestHead(_ client: Int32, _ upstream: Int32) {
        let connection = at(client)
        let to = at(upstream)
        let bytes = connection.pointee.input.filled
        pool.lend(to: &to.pointee.output)
        var writer = HeadWriter(to.pointee.output)
        writer.write(bytes, requestHead.methodEnd + 1)
        let path = requestHead.path
        if path.isEmpty || (bytes[path.lowerBound] == 0x3F) { writer.write("/") }
        writer.write(bytes + path.lowerBound, path.count)
        writer.write(" HTTP/1.1\r\nhost: ")
        writer.write(bytes + requestHead.host.lowerBound, requestHead.host.count)
        writer.write("\r\n")
        writeKeptFields(&writer, bytes)
        writeFraming(&writer, bytes)
        writeForwarding(&writer, client, bytes)
        writer.write("\r\n")
        // A head is at most a quarter of a buffer and what is added repeats parts of it, so this always fits.
        precondition(!writer.hasOverflowed, "a request head does not fit into a buffer")
        to.pointee.output.end = Int32(writer.end)
        to.pointee.keepsSent = true
    }

    /// Copies the fields that are the app's business, neighbours together.
    private func writeKeptFields(_ writer: inout HeadWriter, _ bytes: Bytes) {
        let fields = requestHead.fields
        var runStart = -1
        for index in 0..<fields.count {
            let field = fields.spans[index]
            let isKept =
                (field.name == .other || field.name == .cookie)
                && (fields.tokenCount == 0 || !fields.isNamedInConnection(bytes, field))
            if isKept, runStart < 0 { runStart = Int(field.line) }
            if !isKept, runStart >= 0 {
                writer.write(bytes + runStart, Int(field.line) - runStart)
                runStart = -1
            }
        }
        if runStart >= 0, fields.count > 0 {
            writer.write(bytes + runStart, Int(fields.spans[fields.count - 1].lineEnd) - runStart)
        }
    }

    private func writeFraming(_ writer: inout HeadWriter, _ bytes: Bytes) {
        if requestHead.framing == .chunked { writer.write("transfer-encoding: chunked\r\n") }
        for index in 0..<requestHead.fields.count where requestHead.fields.spans[index].name == .contentLength {
            // Only the digits, so that blanks around them cannot be read in two ways.
            let field = requestHead.fields.spans[index]
            writer.write("content-length: ")
            writer.write(bytes + Int(field.value), Int(field.valueEnd - field.value))
            writer.write("\r\n")
        }
        guard requestHead.upgrade >= 0 else { return }
        let field = requestHead.fields.spans[requestHead.upgrade]
        writer.write("connection: upgrade\r\n")
        writer.write(bytes + Int(field.line), Int(field.lineEnd - field.line))
    }

    private func writeForwarding(_ writer: inout HeadWriter, _ client: Int32, _ bytes: Bytes) {
        writer.write("x-request-id: ")
        writer.write(requestID(client))
        writer.write("\r\nx-globe-request-id: ")
        writer.write(requestID(client))
        writer.write("\r\nx-forwarded-for: ")
        if requestHead.hasForwardedFor {
            for index in 0..<requestHead.fields.count where requestHead.fields.spans[index].name == .forwardedFor {
                let field = requestHead.fields.spans[index]
                guard field.valueEnd > field.value else { continue }
                writer.write(bytes + Int(field.value), Int(field.valueEnd - field.value))
                writer.write(", ")
            }
        }
        writer.write(peerText(client), Int(at(client).pointee.peerTextCount))
        if at(client).pointee.isSecure {
            writer.write("\r\nx-forwarded-proto: https\r\nx-forwarded-host: ")
        } else {
            writer.write("\r\nx-forwarded-proto: http\r\nx-forwarded-host: ")
        }
        writer.write(bytes + requestHead.host.lowerBound, requestHead.host.count)
        writer.write(at(client).pointee.isMirror ? "\r\nx-meridian-mirror: true\r\n" : "\r\n")
    }
}
