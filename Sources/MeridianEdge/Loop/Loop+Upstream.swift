// Loop+Upstream: connections to runners: opening, keeping, reusing and replacing them.
internal import CLinux
internal import Glibc

extension Loop {
    /// Runners tried for one request: each try costs the client a connect.
    static var attemptsMax: UInt8 { 3 }

    /// A connection to a runner, kept or new; -1 where none can be opened.
    mutating func takeUpstream(_ runner: Int32) -> Int32 {
        let upstream = runners[Int(runner)].firstIdle
        guard upstream >= 0 else { return openUpstream(runner) }
        unlinkIdle(upstream)
        let connection = at(upstream)
        connection.pointee.phase = .responseHead
        connection.pointee.isReused = true
        connection.pointee.informationalCount = 0
        setDeadline(upstream, 0)
        return upstream
    }

    /// Opens a connection; it is writable once the connect is through.
    mutating func openUpstream(_ runner: Int32) -> Int32 {
        let socket = makeSocket(runner)
        guard socket >= 0 else { return -1 }
        guard open(socket, .upstream, .connecting) else {
            close(socket)
            return -1
        }
        let state = clinux_connect(socket, &runners[Int(runner)].address)
        guard state >= 0, clinux_epoll_add_edge(epoll, socket, generation) == 0 else {
            at(socket).pointee.role = .free
            close(socket)
            return -1
        }
        at(socket).pointee.runner = runner
        runners[Int(runner)].users += 1
        if state == 0 {
            at(socket).pointee.phase = .responseHead
            at(socket).pointee.readiness = .writable
        } else {
            setDeadline(socket, now + limits.connectMilliseconds)
        }
        return socket
    }

    /// Makes the socket inside the runner's network namespace: a socket belongs to the one its thread is in.
    private func makeSocket(_ runner: Int32) -> Int32 {
        let family = Int32(runners[Int(runner)].address.storage.ss_family)
        let namespace = runners[Int(runner)].networkNamespace
        guard namespace >= 0 else { return clinux_stream_socket(family) }
        guard ownNamespace >= 0, clinux_enter_network_namespace(namespace) == 0 else { return -1 }
        let socket = clinux_stream_socket(family)
        let isBack = clinux_enter_network_namespace(ownNamespace) == 0
        precondition(isBack, "the loop cannot leave a runner's network namespace, so it must not go on")
        return socket
    }

    /// Takes the outcome of a connect.
    mutating func finishConnect(_ upstream: Int32) {
        guard clinux_socket_error(upstream) == 0 else {
            reroute(at(upstream).pointee.peer)
            return
        }
        let connection = at(upstream)
        connection.pointee.phase = .responseHead
        connection.pointee.readiness.insert(.writable)
        setDeadline(upstream, 0)
        advanceExchange(connection.pointee.peer)
    }

    private mutating func advanceExchange(_ client: Int32) {
        let generation = at(client).pointee.generation
        pumpRequest(client)
        if isSame(client, generation), at(client).pointee.phase == .exchange { pumpResponse(at(client).pointee.peer) }
    }

    /// An upstream ended or broke before any byte of a response.
    mutating func upstreamFailed(_ upstream: Int32) {
        let connection = at(upstream)
        let client = connection.pointee.peer
        let facts = at(client).pointee.request
        let wasSent = connection.pointee.output.start > 0 || !connection.pointee.keepsSent
        // A kept connection may have been closed by the runner just before the request came.
        let mayRepeat =
            connection.pointee.isReused && connection.pointee.keepsSent && !facts.contains(.isRetried)
            && (facts.contains(.isIdempotent) || !wasSent)
        guard mayRepeat else {
            answer(client, .noResponse)
            return
        }
        at(client).pointee.request.insert(.isRetried)
        let runner = at(client).pointee.runner
        guard !runners[Int(runner)].isRemoved else {
            reroute(client)
            return
        }
        move(client, to: openUpstream(runner))
    }

    /// Takes the request to another runner, since its own does not accept connections or is removed.
    mutating func reroute(_ client: Int32) {
        let connection = at(client)
        let runner = connection.pointee.runner
        let target = connection.pointee.target
        let mayMove = at(connection.pointee.peer).pointee.keepsSent && connection.pointee.attempts < Self.attemptsMax
        let other = mayMove ? acquire(target, excluding: runner) : -1
        guard other >= 0 else {
            answer(client, .cannotConnect)
            return
        }
        connection.pointee.attempts += 1
        if !runners[Int(runner)].isRemoved { noteRunnerFailure(runner) }
        releaseRunner(client)
        connection.pointee.runner = other
        move(client, to: takeUpstream(other))
    }

    /// Gives a client's kept request bytes to another upstream and drops the old one; -1 answers 502.
    private mutating func move(_ client: Int32, to fresh: Int32) {
        let old = at(client).pointee.peer
        guard fresh >= 0 else {
            answer(client, .cannotConnect)
            return
        }
        at(fresh).pointee.output = at(old).pointee.output
        at(fresh).pointee.output.start = 0
        at(fresh).pointee.keepsSent = true
        at(fresh).pointee.peer = client
        at(old).pointee.output = Buffer()
        at(client).pointee.peer = fresh
        at(client).pointee.request.remove(.isUploadBroken)
        closeUpstream(old)
        pumpRequest(client)
    }

    /// Keeps an upstream for the runner's next request, or closes it where enough are kept.
    mutating func keep(_ upstream: Int32) {
        let connection = at(upstream)
        let runner = Int(connection.pointee.runner)
        guard !runners[runner].isRemoved, runners[runner].idleCount < limits.upstreamIdleMax else {
            closeUpstream(upstream)
            return
        }
        pool.takeBack(&connection.pointee.input)
        pool.takeBack(&connection.pointee.output)
        connection.pointee.phase = .idle
        connection.pointee.peer = -1
        connection.pointee.ready = 0
        connection.pointee.previous = -1
        connection.pointee.next = runners[runner].firstIdle
        if connection.pointee.next >= 0 { at(connection.pointee.next).pointee.previous = upstream }
        runners[runner].firstIdle = upstream
        runners[runner].idleCount += 1
        setDeadline(upstream, now + limits.upstreamIdleMilliseconds)
    }

    /// Takes an upstream out of its runner's list of kept ones.
    private mutating func unlinkIdle(_ upstream: Int32) {
        let connection = at(upstream)
        let runner = Int(connection.pointee.runner)
        let next = connection.pointee.next
        let previous = connection.pointee.previous
        if next >= 0 { at(next).pointee.previous = previous }
        if previous >= 0 { at(previous).pointee.next = next } else { runners[runner].firstIdle = next }
        runners[runner].idleCount -= 1
    }

    /// Closes an upstream; the client that it served is the caller's business.
    mutating func closeUpstream(_ upstream: Int32) {
        let connection = at(upstream)
        let runner = connection.pointee.runner
        if connection.pointee.phase == .idle { unlinkIdle(upstream) }
        pool.takeBack(&connection.pointee.input)
        pool.takeBack(&connection.pointee.output)
        connection.pointee.role = .free
        tables.deadlines[Int(upstream)] = 0
        close(upstream)
        dropUser(of: runner)
    }
}
