// Loop+Requests: reading request heads and finding where each request goes.
internal import CLinux
internal import Glibc
internal import MeridianRouting

extension Loop {
    /// Pipelined requests per turn, so that one client does not hold up the others.
    static var requestsPerTurnMax: Int { 64 }
    /// Empty lines before a request line (RFC 9112 §2.2 asks to ignore at least one).
    static var emptyLinesMax: Int { 4 }

    /// Serves a client's requests until one needs time or there is none.
    mutating func serve(_ client: Int32) {
        let connection = at(client)
        let generation = connection.pointee.generation
        var left = Self.requestsPerTurnMax
        while isSame(client, generation), connection.pointee.phase == .head {
            guard left > 0 else {
                scheduleTurn(client)
                return
            }
            do throws(Refusal) {
                if connection.pointee.isFresh, connection.pointee.input.count > 0 {
                    switch prefaceProgress(connection) {
                    case .complete:
                        beginH2(client)
                        return
                    case .incomplete:
                        guard try fill(client) else { return }
                        continue
                    case nil: connection.pointee.isFresh = false
                    }
                }
                switch try takeHead(client) {
                case .complete:
                    left -= 1
                    begin(client)
                case .incomplete:
                    guard try fill(client) else { return }
                }
            } catch {
                refuse(client, error)
            }
        }
    }

    /// Parses the head at the front of the input.
    private mutating func takeHead(_ client: Int32) throws(Refusal) -> HeadProgress {
        let connection = at(client)
        var skipped = 0
        while connection.pointee.scanned == 0, connection.pointee.input.count >= 2, skipped < Self.emptyLinesMax,
            connection.pointee.input.filled[0] == .carriageReturn, connection.pointee.input.filled[1] == .lineFeed
        {
            connection.pointee.input.drop(2)
            skipped += 1
        }
        let count = connection.pointee.input.count
        guard count > 0, hasNewLine(connection) else { return .incomplete }
        let progress = try requestHead.parse(
            connection.pointee.input.filled,
            count,
            targetBytesMax: limits.targetBytesMax
        )
        switch progress {
        case .complete:
            guard requestHead.length <= limits.headBytesMax else { throw .headTooLarge }
        case .incomplete:
            connection.pointee.scanned = Int32(count)
        }
        return progress
    }

    /// Whether bytes beyond those already looked at end a line; a head that comes byte by byte is not parsed each
    /// time.
    private func hasNewLine(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        let scanned = Int(connection.pointee.scanned)
        guard scanned > 0 else { return true }
        return lineFeed(connection.pointee.input.filled, from: scanned, to: connection.pointee.input.count) != nil
    }

    /// Reads more of a head; false where nothing more can be had now.
    private mutating func fill(_ client: Int32) throws(Refusal) -> Bool {
        let connection = at(client)
        guard connection.pointee.input.count <= limits.headBytesMax else { throw .headTooLarge }
        guard connection.pointee.readiness.contains(.readable) else {
            awaitHead(client)
            return false
        }
        pool.lend(to: &connection.pointee.input)
        if connection.pointee.input.room == 0 { connection.pointee.input.compact() }
        switch receive(connection) {
        case .some: return true
        case .wouldBlock:
            awaitHead(client)
            return false
        case .end, .broken:
            closeClient(client)
            return false
        }
    }

    /// Lends nothing to a client without a request, and gives one that has begun a head a limited time for the rest.
    private mutating func awaitHead(_ client: Int32) {
        let connection = at(client)
        if connection.pointee.input.count == 0 {
            pool.takeBack(&connection.pointee.input)
        } else if pool.isExhausted {
            // A head that is held until its rest comes costs memory that others need now.
            note(.overload)
            closeClient(client)
        } else if !connection.pointee.request.contains(.hasHeadBegun) {
            connection.pointee.request.insert(.hasHeadBegun)
            setDeadline(client, now + limits.headMilliseconds)
        }
    }

    /// Starts the request whose head has just been parsed.
    private mutating func begin(_ client: Int32) {
        let connection = at(client)
        noteFacts(connection)
        guard !connection.pointee.isMirror else {
            beginMirror(client)
            return
        }
        adoptRequestID(client)
        guard let view, let plan = view.plan(forHost: requestBytes(client, requestHead.host)) else {
            answer(client, .unknownHost)
            return
        }
        if view.isSecureOnly(plan), !connection.pointee.isSecure, context.securePort != 0 {
            redirectToSecure(client)
            return
        }
        guard admits(client, plan, view) else { return }
        let (choice, draw) = way(client, plan, view)
        let pick = pick(client, plan, choice, draw, view)
        switch pick.outcome {
        case .noBackend: answer(client, .noBackend)
        case .unknownOverride: answer(client, .unknownRevision)
        case .backend:
            let target = wellTarget(pick.slot, choice, view)
            connection.pointee.target = target
            connection.pointee.cookie = pick.cookie
            connection.pointee.cookieTable = tableSerial
            connection.pointee.requestStart = nowMicroseconds
            connection.pointee.requestDeadline = now + view.timeoutMilliseconds(plan)
            targets[Int(target)].counters.begin()
            setDeadline(client, connection.pointee.requestDeadline)
            if view.hasMirror(plan) { mirror(client, plan, view) }
            let runner = acquire(target)
            if runner < 0 { park(client) } else { forward(client, runner) }
        }
    }

    func noteFacts(_ connection: UnsafeMutablePointer<Connection>) {
        var facts = RequestFacts()
        if requestHead.keepsAlive { facts.insert(.keepsAlive) }
        if requestHead.isHead { facts.insert(.isHead) }
        if requestHead.isVersion10 { facts.insert(.isVersion10) }
        if requestHead.isIdempotent { facts.insert(.isIdempotent) }
        if requestHead.upgrade >= 0 { facts.insert(.upgrades) }
        if requestHead.expectsContinue { facts.insert(.expectsContinue) }
        connection.pointee.request = facts
        connection.pointee.headLength = Int32(requestHead.length)
        connection.pointee.scanned = 0
        connection.pointee.attempts = 0
        connection.pointee.answerClass = 0
        connection.pointee.body = BodyTracker(requestHead.framing)
        connection.pointee.bodyBytesMax = .max
        connection.pointee.bodyWindow = 0
    }

    /// Bytes of the parsed head; valid until the client's input changes.
    func requestBytes(_ client: Int32, _ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: at(client).pointee.input.filled + range.lowerBound, count: range.count)
    }
}
