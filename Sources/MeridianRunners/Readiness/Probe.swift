// Probe: one runner being asked whether it is ready: connect, and where wanted one HTTP request.
internal import CLinux
internal import Glibc

/// What a probe found.
enum ProbeOutcome: Sendable, Equatable {
    case ready
    /// The runner ended meanwhile.
    case ended
    /// Not ready in time; the text says what the last try met, e.g. `GET /health answered 503`.
    case timedOut(String)
}

/// The state of one probe; owned by the probes' thread.
struct Probe {
    private enum Stage {
        case idle
        case connecting(Descriptor)
        case reading(Descriptor, [UInt8])
    }

    /// The first phase, in which most programs become ready, is asked often: a look costs 3 µs.
    private static let eagerNanoseconds: Int64 = 20_000_000
    private static let eagerIntervalNanoseconds: Int64 = 100_000
    /// A program that takes longer to start loses at most this to waiting.
    private static let intervalNanosecondsMax: Int64 = 10_000_000
    /// A status line is read within these; a server that sends more before it sends none.
    private static let answerBytesMax = 4096
    /// An answer to the health path may take this long before it is asked again.
    private static let answerNanosecondsMax: Int64 = 2_000_000_000

    let network: Descriptor
    let port: UInt16
    let healthPath: String?
    let hasEnded: @Sendable () -> Bool
    let outcome: Promise<ProbeOutcome>
    let startedAt: Int64
    let deadline: Int64
    private(set) var nextAt: Int64
    private var interval: Int64 = eagerIntervalNanoseconds
    private var stage = Stage.idle
    private var stageSince: Int64 = 0
    private var lastSeen = "the program does not accept connections"

    /// - Parameters: Times are of the monotonic clock, in nanoseconds.
    init(
        network: Descriptor,
        port: UInt16,
        healthPath: String?,
        now: Int64,
        deadline: Int64,
        hasEnded: @escaping @Sendable () -> Bool,
        outcome: Promise<ProbeOutcome>
    ) {
        self.network = network
        self.port = port
        self.healthPath = healthPath
        self.hasEnded = hasEnded
        self.outcome = outcome
        startedAt = now
        self.deadline = deadline
        nextAt = now
    }

    /// Takes one step; true once the outcome is given.
    mutating func step(now: Int64, ownNetwork: Descriptor) -> Bool {
        if hasEnded() { return finish(.ended) }
        if advance(now: now, ownNetwork: ownNetwork) { return finish(.ready) }
        if now >= deadline { return finish(.timedOut(lastSeen)) }
        interval =
            now - startedAt < Self.eagerNanoseconds
            ? Self.eagerIntervalNanoseconds : min(interval * 2, Self.intervalNanosecondsMax)
        nextAt = now + interval
        return false
    }

    private func finish(_ result: ProbeOutcome) -> Bool {
        outcome.fulfil(result)
        return true
    }

    /// One non-blocking move; true where the runner is ready.
    private mutating func advance(now: Int64, ownNetwork: Descriptor) -> Bool {
        switch stage {
        case .idle:
            let raw = clinux_socket_in_namespace(network.raw, ownNetwork.raw)
            guard raw >= 0 else { return note("its network could not be entered: \(errorWords(errno))") }
            let socket = Descriptor(owning: raw)
            guard clinux_connect_loopback(raw, port) == 0 || errno == EINPROGRESS else {
                return note("the program does not accept connections")
            }
            stage = .connecting(socket)
            stageSince = now
            return connected(socket, now: now)
        case .connecting(let socket):
            return connected(socket, now: now)
        case .reading(let socket, let bytes):
            return read(socket, bytes, now: now)
        }
    }

    private mutating func connected(_ socket: Descriptor, now: Int64) -> Bool {
        let state = clinux_connected(socket.raw)
        guard state != 0 else { return false }
        stage = .idle
        guard state > 0 else { return note("the program does not accept connections") }
        guard let healthPath else { return true }
        let text = "GET \(healthPath) HTTP/1.1\r\nHost: localhost\r\nUser-Agent: meridian\r\nConnection: close\r\n\r\n"
        let bytes = Array(text.utf8)
        guard send(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            return note("GET \(healthPath) could not be sent")
        }
        stage = .reading(socket, [])
        stageSince = now
        return false
    }

    private mutating func read(_ socket: Descriptor, _ before: [UInt8], now: Int64) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket.raw, &chunk, chunk.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN, now - stageSince < Self.answerNanosecondsMax { return false }
        let bytes = before + chunk.prefix(max(0, count))
        let path = healthPath ?? "/"
        guard let status = Self.status(bytes) else {
            if count > 0, bytes.count < Self.answerBytesMax {
                stage = .reading(socket, bytes)
                return false
            }
            stage = .idle
            return note("GET \(path) got no HTTP answer")
        }
        stage = .idle
        // A refusal is asked again at the slower pace at once: a program that warms up answers many of them.
        interval = Self.intervalNanosecondsMax
        return (200..<400).contains(status) || note("GET \(path) answered \(status)")
    }

    private mutating func note(_ seen: String) -> Bool {
        lastSeen = seen
        return false
    }

    /// The status of `HTTP/1.1 200 OK`; nil until it is there.
    private static func status(_ bytes: [UInt8]) -> Int? {
        guard bytes.starts(with: Array("HTTP/1.".utf8)), bytes.count >= 12 else { return nil }
        return Int(String(decoding: bytes[9..<12], as: UTF8.self))
    }
}
