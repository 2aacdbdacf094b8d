// Loop+Rules: what clients may do: whom a connection is given to, which requests are taken, how bodies must come.
internal import CLinux
internal import MeridianRouting

extension Loop {
    // MARK: Connections

    /// Counts a connection for its client; false where the client has too many or the edge is full.
    mutating func countConnection(_ client: Int32) -> Bool {
        let connection = at(client)
        let open = context.clientCounts.open(connection.pointee.address)
        connection.pointee.isCounted = true
        guard let standing = table?.standing, open > standing.connectionsPerClient else { return true }
        note(.connectionsPerClient)
        return false
    }

    /// Takes back what `countConnection` counted.
    func uncountConnection(_ client: Int32) {
        guard at(client).pointee.isCounted else { return }
        at(client).pointee.isCounted = false
        context.clientCounts.close(at(client).pointee.address)
    }

    // MARK: Requests

    /// Whether the request whose head has just been parsed may go on; one that may not is answered.
    mutating func admits(_ client: Int32, _ plan: Int32, _ view: RouteView) -> Bool {
        guard !pool.isExhausted else {
            note(.overload)
            answer(client, .overloaded)
            return false
        }
        let index = view.policy(plan)
        guard index >= 0, let rules = table?.policies[Int(index)] else { return true }
        let connection = at(client)
        guard rules.admits(connection.pointee.address.number) else {
            note(.address)
            answer(client, .addressRefused)
            return false
        }
        guard requestHead.path.count <= rules.targetBytesMax else {
            note(.size)
            refuse(client, .targetTooLong)
            return false
        }
        if case .length(let length) = requestHead.framing, length > UInt64(rules.bodyBytesMax) {
            note(.size)
            answer(client, .bodyTooLarge)
            return false
        }
        let wait = waitForTurn(client, rules)
        guard wait == 0 else {
            note(.rate)
            answer(client, .tooMany(seconds: Int((wait + 999_999_999) / 1_000_000_000)))
            return false
        }
        connection.pointee.bodyBytesMax = rules.bodyBytesMax
        if rules.bodyBytesPerSecond > 0 {
            connection.pointee.bodyWindow = Int32(rules.bodyGraceMilliseconds)
            connection.pointee.bodyWindowBytes = rules.bodyBytesPerSecond * rules.bodyGraceMilliseconds / 1000
        }
        return true
    }

    /// How long the request must wait for its turn, in nanoseconds; 0: not at all.
    ///
    /// The client's turn comes first, so that who asks too often does not use up the host's.
    private func waitForTurn(_ client: Int32, _ rules: CompiledRules) -> Int64 {
        let time = nowMicroseconds * 1000
        if let pace = rules.clientRate {
            let key = at(client).pointee.address.key(rules.salt)
            let wait = context.turns.takeTurn(of: key, pace, now: time)
            guard wait == 0 else { return wait }
        }
        guard let pace = rules.hostRate else { return 0 }
        var hasher = Hasher()
        hasher.combine(rules.salt)
        hasher.combine(RouteView.hash(ofHost: requestBytes(client, requestHead.host)))
        return context.turns.takeTurn(of: hasher.finalize(), pace, now: time)
    }

    // MARK: Bodies

    /// Whether what came of a body is more than the rules of its host allow; never where an app answers.
    func isBodyTooLarge(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        connection.pointee.body.dataCount > connection.pointee.bodyBytesMax
    }

    /// Lets the time of a body run from now on, where its host wants it to come at a rate.
    mutating func watchBody(_ client: Int32) {
        let connection = at(client)
        guard connection.pointee.bodyWindow > 0, !connection.pointee.body.isDone else { return }
        connection.pointee.bodySeen = connection.pointee.body.dataCount
        setDeadline(client, min(connection.pointee.requestDeadline, now + Int64(connection.pointee.bodyWindow)))
    }

    /// The end of a window of a body: true where the request goes on, since enough came or the app takes no more.
    mutating func bodyMayGoOn(_ client: Int32) -> Bool {
        let connection = at(client)
        guard connection.pointee.bodyWindow > 0, now < connection.pointee.requestDeadline else { return false }
        guard !connection.pointee.body.isDone else {
            setDeadline(client, connection.pointee.requestDeadline)
            return true
        }
        let peer = connection.pointee.peer
        let isHeldUp = connection.pointee.ready > 0 || (peer >= 0 && at(peer).pointee.output.count > 0)
        let came = connection.pointee.body.dataCount - connection.pointee.bodySeen
        guard isHeldUp || came >= connection.pointee.bodyWindowBytes else {
            note(.slowBody)
            return false
        }
        watchBody(client)
        return true
    }

    // MARK: Counts

    /// Counts a refusal.
    func note(_ refusal: EdgeRefusal) {
        let word = counts.words + refusal.word
        clinux_atomic_relaxed_store(word, clinux_atomic_relaxed_load(word) &+ 1)
    }
}
