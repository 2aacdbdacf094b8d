// Loop+Answers: responses that the edge makes itself: short texts that name the reason and the next step.
internal import CLinux

/// An answer of the edge's own.
enum Answer {
    case unknownHost, noBackend, unknownRevision
    case cannotConnect, noResponse
    case badResponse(ResponseFault)
    case parkedFull, parkedTimeout, responseTimeout
    case failed(String)
    case addressRefused, bodyTooLarge, bodyTooSlow, overloaded
    case tooMany(seconds: Int)

    var status: StaticString {
        switch self {
        case .unknownHost, .unknownRevision: "404 Not Found"
        case .addressRefused: "403 Forbidden"
        case .bodyTooSlow: "408 Request Timeout"
        case .bodyTooLarge: "413 Content Too Large"
        case .tooMany: "429 Too Many Requests"
        case .cannotConnect, .noResponse, .badResponse: "502 Bad Gateway"
        case .noBackend, .parkedFull, .failed, .overloaded: "503 Service Unavailable"
        case .parkedTimeout, .responseTimeout: "504 Gateway Timeout"
        }
    }

    /// When it makes sense to ask again, in seconds; nil: not known.
    var retryAfter: Int? {
        switch self {
        case .noBackend, .parkedFull, .failed, .overloaded: 1
        case .tooMany(let seconds): seconds
        default: nil
        }
    }

    /// Whether the runner is to blame.
    var isUpstreamError: Bool {
        switch self {
        case .cannotConnect, .noResponse, .badResponse, .responseTimeout: true
        default: false
        }
    }

    var words: StaticString {
        switch self {
        case .unknownHost: "no app answers to this host; check the Host header against the apps and traffic splits"
        case .noBackend:
            "the app of this host has no ready revision; wait for its build or look at the app's conditions"
        case .unknownRevision:
            "x-meridian-revision names no revision of this app; list its revisions or omit the header"
        case .cannotConnect: "the app's runner does not accept connections; look at the app's logs"
        case .noResponse: "the app closed the connection before it had answered; look at the app's logs"
        case .badResponse(let fault): fault.words
        case .parkedFull: "too many requests wait for this app to start; try again in a second"
        case .parkedTimeout:
            "no runner of the app became free in time; look at the app's conditions or raise its scaling"
        case .responseTimeout: "the app did not answer in time; look at its logs or raise requestTimeout"
        case .failed: "the app cannot be started: "
        case .addressRefused: "clients with this address are not served at this host"
        case .bodyTooLarge: "the body is larger than this host takes; send less or in parts"
        case .bodyTooSlow: "the body came too slowly; send it in one go"
        case .overloaded: "this edge has as much to do as its memory holds; try again in a second"
        case .tooMany: "too many requests; wait as long as retry-after says and then ask less often"
        }
    }
}

extension Loop {
    /// The longest message of the node that is shown to a client.
    static var failureBytesMax: Int { 1024 }

    private static var bodyStart: StaticString { "meridian: " }
    private static var bodyMiddle: StaticString { " (request id " }
    private static var bodyEnd: StaticString { ")\n" }

    /// Ends the current request of a client, whose response has not begun, with an answer of the edge's own.
    mutating func answer(_ client: Int32, _ answer: Answer) {
        if answer.isUpstreamError { noteRunnerFailure(at(client).pointee.runner) }
        detach(client)
        noteFailure(client, answer)
        if !at(client).pointee.body.isDone || isDraining { at(client).pointee.request.remove(.keepsAlive) }
        var message = ""
        if case .failed(let text) = answer {
            message = String(decoding: text.utf8.prefix(Self.failureBytesMax), as: UTF8.self)
        }
        write(client, status: answer.status, words: answer.words, message: message, retryAfter: answer.retryAfter)
        finishFlush(client)
    }

    /// Answers with the same address under https (RFC 9110 §15.4.9: 308 keeps the method and the body).
    mutating func redirectToSecure(_ client: Int32) {
        let connection = at(client)
        pool.lend(to: &connection.pointee.output)
        if !connection.pointee.body.isDone || isDraining { connection.pointee.request.remove(.keepsAlive) }
        var writer = HeadWriter(connection.pointee.output)
        writer.write("HTTP/1.1 308 Permanent Redirect\r\ncontent-length: 0\r\nx-request-id: ")
        writer.write(requestID(client))
        writer.write("\r\nlocation: https://")
        writer.write(hostWithoutPort(client))
        if context.securePort != Self.httpsPort {
            writer.write(":")
            writer.write(Int(context.securePort))
        }
        let path = requestHead.path
        if path.isEmpty || connection.pointee.input.filled[path.lowerBound] != 0x2F { writer.write("/") }
        if !requestHead.isAsterisk { writer.write(requestBytes(client, path)) }
        writer.write(connection.pointee.request.contains(.keepsAlive) ? "\r\n\r\n" : "\r\nconnection: close\r\n\r\n")
        precondition(!writer.hasOverflowed, "a redirect repeats a part of the head, which fits into a buffer")
        connection.pointee.output.end = Int32(writer.end)
        connection.pointee.answerClass = 3
        detach(client)
        finishFlush(client)
    }

    /// The port that https URLs need not name.
    private static var httpsPort: UInt16 { 443 }

    private func hostWithoutPort(_ client: Int32) -> UnsafeBufferPointer<UInt8> {
        let host = requestBytes(client, requestHead.host)
        var end = host.count
        while end > 0, host[end - 1].isDigit { end -= 1 }
        guard end > 0, host[end - 1] == .colon else { return host }
        return UnsafeBufferPointer(rebasing: host[..<(end - 1)])
    }

    /// Counts an answer of the edge's own for the target of the request, where it had one.
    private mutating func noteFailure(_ client: Int32, _ answer: Answer) {
        at(client).pointee.answerClass = answer.status.utf8Start[0] - 0x30
        let target = at(client).pointee.target
        guard target >= 0, answer.isUpstreamError, !at(client).pointee.isMirror else { return }
        targets[Int(target)].meter.add(TargetMeter.upstreamErrors, 1)
    }

    /// Answers a request that cannot be understood; the connection ends, since its next byte has no meaning.
    mutating func refuse(_ client: Int32, _ refusal: Refusal) {
        detach(client)
        makeRequestID(client)
        at(client).pointee.request = []
        at(client).pointee.answerClass = 4
        write(client, status: refusal.status, words: refusal.words, message: "", retryAfter: nil)
        finishFlush(client)
    }

    /// Frees a client from its upstream and its place.
    private mutating func detach(_ client: Int32) {
        let connection = at(client)
        if connection.pointee.peer >= 0 {
            closeUpstream(connection.pointee.peer)
            connection.pointee.peer = -1
        }
        releaseRunner(client)
        connection.pointee.phase = .flushing
        // Without an upstream nobody else takes the head out of the input.
        connection.pointee.input.drop(Int(connection.pointee.headLength))
        connection.pointee.headLength = 0
    }

    private mutating func write(
        _ client: Int32,
        status: StaticString,
        words: StaticString,
        message: String,
        retryAfter: Int?
    ) {
        let connection = at(client)
        pool.lend(to: &connection.pointee.output)
        var writer = HeadWriter(connection.pointee.output)
        let length =
            Self.bodyStart.utf8CodeUnitCount + words.utf8CodeUnitCount + message.utf8.count
            + Self.bodyMiddle.utf8CodeUnitCount + requestID(client).count + Self.bodyEnd.utf8CodeUnitCount
        writer.write("HTTP/1.1 ")
        writer.write(status)
        writer.write("\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ")
        writer.write(length)
        writer.write("\r\nx-request-id: ")
        writer.write(requestID(client))
        writer.write("\r\nx-meridian-region: ")
        writer.write(UnsafeBufferPointer(region))
        if let retryAfter {
            writer.write("\r\nretry-after: ")
            writer.write(retryAfter)
        }
        writer.write("\r\n")
        let facts = connection.pointee.request
        if !facts.contains(.keepsAlive) {
            writer.write("connection: close\r\n")
        } else if facts.contains(.isVersion10) {
            writer.write("connection: keep-alive\r\n")
        }
        writer.write("\r\n")
        if !facts.contains(.isHead) {
            writer.write(Self.bodyStart)
            writer.write(words)
            writer.writeText(message)
            writer.write(Self.bodyMiddle)
            writer.write(requestID(client))
            writer.write(Self.bodyEnd)
        }
        connection.pointee.output.end = Int32(writer.end)
    }
}
