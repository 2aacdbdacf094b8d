// Loop+Responses: a runner's response heads and how the client gets them.
internal import CLinux
internal import Glibc
internal import MeridianRouting

extension Loop {
    /// 1xx responses to one request: early hints come in ones and twos.
    static var informationalMax: UInt8 { 8 }
    /// What the edge adds to a response head at most: ids, region, revision, a cookie.
    static var addedHeadBytesMax: Int { 4096 }

    /// Takes one response head; false where it is not complete yet or the exchange is over.
    mutating func takeResponseHead(_ upstream: Int32, _ client: Int32) -> Bool {
        let connection = at(upstream)
        if connection.pointee.input.count == 0 {
            guard readResponse(upstream) else { return false }
        }
        let isHead = at(client).pointee.request.contains(.isHead)
        do throws(ResponseFault) {
            let bytes = connection.pointee.input.filled
            switch try responseHead.parse(bytes, connection.pointee.input.count, isHead: isHead) {
            case .incomplete:
                guard connection.pointee.input.count <= limits.headBytesMax else { throw .headTooLarge }
                return readResponse(upstream)
            case .complete:
                guard responseHead.length <= limits.headBytesMax else { throw .headTooLarge }
                return try passOn(upstream, client)
            }
        } catch {
            answer(client, .badResponse(error))
            return false
        }
    }

    /// Reads more of a response head; false where there is no more now or never.
    private mutating func readResponse(_ upstream: Int32) -> Bool {
        let connection = at(upstream)
        guard connection.pointee.readiness.contains(.readable) else { return false }
        pool.lend(to: &connection.pointee.input)
        if connection.pointee.input.room == 0 { connection.pointee.input.compact() }
        switch receive(connection) {
        case .some:
            // The runner has the request: it must not be sent again.
            connection.pointee.keepsSent = false
            connection.pointee.output.drop(0)
            if connection.pointee.output.count == 0 { pool.takeBack(&connection.pointee.output) }
            return true
        case .wouldBlock:
            if connection.pointee.input.count == 0 { pool.takeBack(&connection.pointee.input) }
            return false
        case .end, .broken:
            if connection.pointee.input.count == 0 {
                upstreamFailed(upstream)
            } else {
                answer(connection.pointee.peer, .noResponse)
            }
            return false
        }
    }

    /// Passes the parsed head on; false where the client has no room for it now.
    private mutating func passOn(_ upstream: Int32, _ client: Int32) throws(ResponseFault) -> Bool {
        let to = at(client)
        pool.lend(to: &to.pointee.output)
        if to.pointee.output.room < responseHead.length + Self.addedHeadBytesMax {
            flush(to)
            to.pointee.output.compact()
            guard to.pointee.output.room >= responseHead.length + Self.addedHeadBytesMax else { return false }
        }
        if responseHead.status == 101 { return try beginTunnel(upstream, client) }
        if responseHead.status < 200 { return try passInformational(upstream, client) }
        decideConnection(upstream, client)
        writeResponseHead(upstream, client)
        let connection = at(upstream)
        connection.pointee.input.drop(responseHead.length)
        connection.pointee.body = BodyTracker(responseHead.framing)
        connection.pointee.isReusable = responseHead.keepsAlive
        connection.pointee.phase = .responseBody
        return true
    }

    /// Whether the client's connection goes on, and whether chunks must be taken apart.
    private mutating func decideConnection(_ upstream: Int32, _ client: Int32) {
        let to = at(client)
        to.pointee.request.insert(.isAnswered)
        to.pointee.answerClass = UInt8(responseHead.status / 100)
        noteRunnerAnswer(to.pointee.runner)
        if responseHead.framing == .chunked, to.pointee.request.contains(.isVersion10) {
            to.pointee.request.insert(.decodesChunks)
            to.pointee.request.remove(.keepsAlive)
        }
        if responseHead.framing == .untilClose || isDraining { to.pointee.request.remove(.keepsAlive) }
    }

    /// 100 has been sent by the edge where it was asked for; others go to clients that know them (RFC 9110 §15.2).
    private mutating func passInformational(_ upstream: Int32, _ client: Int32) throws(ResponseFault) -> Bool {
        let connection = at(upstream)
        connection.pointee.informationalCount += 1
        guard connection.pointee.informationalCount <= Self.informationalMax else { throw .tooManyInformational }
        let to = at(client)
        if responseHead.status != 100, !to.pointee.request.contains(.isVersion10) {
            var writer = HeadWriter(to.pointee.output)
            writeStatusAndFields(&writer, connection.pointee.input.filled)
            writer.write("\r\n")
            to.pointee.output.end = Int32(writer.end)
        }
        connection.pointee.input.drop(responseHead.length)
        guard flush(to) else {
            closeClient(client)
            return false
        }
        return true
    }

    private mutating func beginTunnel(_ upstream: Int32, _ client: Int32) throws(ResponseFault) -> Bool {
        let to = at(client)
        let from = at(upstream)
        guard to.pointee.request.contains(.upgrades), to.pointee.body.isDone else { throw .unexpectedUpgrade }
        var writer = HeadWriter(to.pointee.output)
        writeStatusAndFields(&writer, from.pointee.input.filled)
        for index in 0..<responseHead.fields.count where responseHead.fields.spans[index].name == .upgrade {
            let field = responseHead.fields.spans[index]
            writer.write(from.pointee.input.filled + Int(field.line), Int(field.lineEnd - field.line))
        }
        writer.write("connection: upgrade\r\n")
        writeOwnFields(&writer, client)
        writer.write("\r\n")
        to.pointee.output.end = Int32(writer.end)
        to.pointee.request.insert(.isAnswered)
        to.pointee.answerClass = 1
        from.pointee.input.drop(responseHead.length)
        from.pointee.body = BodyTracker(.untilClose)
        to.pointee.body = BodyTracker(.untilClose)
        from.pointee.phase = .tunnel
        to.pointee.phase = .tunnel
        pumpTunnel(client)
        return false
    }

    private func writeResponseHead(_ upstream: Int32, _ client: Int32) {
        let to = at(client)
        var writer = HeadWriter(to.pointee.output)
        let bytes = at(upstream).pointee.input.filled
        writeStatusAndFields(&writer, bytes)
        let facts = to.pointee.request
        if responseHead.framing == .chunked, !facts.contains(.decodesChunks) {
            writer.write("transfer-encoding: chunked\r\n")
        }
        writeOwnFields(&writer, client)
        if to.pointee.cookie >= 0, to.pointee.cookieTable == tableSerial, let view {
            writer.write("set-cookie: ")
            writer.write(view.setCookie(to.pointee.cookie))
            writer.write(to.pointee.isSecure ? "; Secure\r\n" : "\r\n")
        }
        if !facts.contains(.keepsAlive) {
            writer.write("connection: close\r\n")
        } else if facts.contains(.isVersion10) {
            writer.write("connection: keep-alive\r\n")
        }
        writer.write("\r\n")
        // The room was made before: the head itself and `addedHeadBytesMax`.
        precondition(!writer.hasOverflowed, "a response head does not fit into a buffer")
        to.pointee.output.end = Int32(writer.end)
    }

    /// The status line and the app's own fields, neighbours together.
    private func writeStatusAndFields(_ writer: inout HeadWriter, _ bytes: Bytes) {
        let fields = responseHead.fields
        writer.write("HTTP/1.1 ")
        writer.write(bytes + responseHead.statusText.lowerBound, responseHead.statusText.count)
        if responseHead.statusText.count == 3 { writer.write(" ") }
        writer.write("\r\n")
        let keepsLength = responseHead.status >= 200 && responseHead.status != 204
        var runStart = -1
        for index in 0..<fields.count {
            let field = fields.spans[index]
            let isKept =
                isAppField(field.name, keepsLength: keepsLength)
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

    /// Whether a response field is the app's to send; the edge's own are never taken over from it.
    private func isAppField(_ name: FieldName, keepsLength: Bool) -> Bool {
        switch name {
        case .other, .host, .expect, .cookie, .forwardedFor, .forwardedProto, .forwardedHost: true
        case .contentLength: keepsLength
        case .connection, .transferEncoding, .upgrade, .hop: false
        case .requestID, .globeRequestID, .revision, .region, .temperature: false
        }
    }

    private func writeOwnFields(_ writer: inout HeadWriter, _ client: Int32) {
        let connection = at(client)
        writer.write("x-request-id: ")
        writer.write(requestID(client))
        if connection.pointee.request.contains(.isCold) {
            writer.write("\r\nx-meridian-temperature: cold\r\nx-globe-temperature: cold")
        } else if connection.pointee.request.contains(.isWarm) {
            writer.write("\r\nx-meridian-temperature: warm\r\nx-globe-temperature: warm")
        } else {
            writer.write("\r\nx-meridian-temperature: hot\r\nx-globe-temperature: hot")
        }
        writer.write(UnsafeBufferPointer(targets[Int(connection.pointee.target)].answerFields))
    }
}
