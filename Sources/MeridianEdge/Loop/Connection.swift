// Connection: one socket of a loop, a client's or a runner's, as a plain struct in the loop's table.

/// What a descriptor is to its loop.
enum Role: UInt8 {
    case free, listener, secureListener, mailbox, client, upstream
}

/// Where a connection is in its life.
enum Phase: UInt8 {
    /// Client: a balancer's connection that has not said yet whose it is.
    case proxyHeader
    /// Client: TLS is being set up.
    case handshake
    /// Client: waits for a request or for the rest of its head.
    case head
    /// Client: waits for a runner; its head stays in the input buffer.
    case parked
    /// Client: has an upstream; request and response flow.
    case exchange
    /// Client: the response is complete; its last bytes leave.
    case flushing
    /// Client: nothing more is written; what still comes in is thrown away, so that the answer is not lost by a
    /// reset.
    case lingering
    /// Client: carries HTTP/2 streams, which are clients of their own.
    case h2
    /// Both: bytes flow unseen in both directions (101).
    case tunnel
    /// Upstream: the connect is under way.
    case connecting
    /// Upstream: waits for a response head.
    case responseHead
    /// Upstream: a response body flows.
    case responseBody
    /// Upstream: kept for a next request.
    case idle
}

/// What is known of a socket's readiness; edge-triggered events set it, calls that would block clear it.
struct Readiness: OptionSet {
    let rawValue: UInt8

    static let readable = Readiness(rawValue: 1)
    static let writable = Readiness(rawValue: 2)
    /// The peer will send no more; a read must reach the end before `readable` is cleared.
    static let peerEnded = Readiness(rawValue: 4)
    /// A read has reached the end.
    static let readEnd = Readiness(rawValue: 8)
    /// The peer has ended its side, so that reading goes on up to the end.
    static let ending = Readiness(rawValue: 1 | 4)
    static let both = Readiness(rawValue: 1 | 2)
    /// Tunnel: the writing side is shut.
    static let writeShut = Readiness(rawValue: 16)
    /// In the list of connections to go on with in the next turn.
    static let again = Readiness(rawValue: 32)
}

/// Facts of the request that a client connection is busy with.
struct RequestFacts: OptionSet {
    let rawValue: UInt16

    static let keepsAlive = RequestFacts(rawValue: 1)
    static let isHead = RequestFacts(rawValue: 2)
    static let isVersion10 = RequestFacts(rawValue: 4)
    static let isIdempotent = RequestFacts(rawValue: 8)
    static let upgrades = RequestFacts(rawValue: 16)
    static let isCold = RequestFacts(rawValue: 32)
    /// A byte of the final response has been written to the client's output.
    static let isAnswered = RequestFacts(rawValue: 64)
    /// The second sending over a fresh connection has been used up.
    static let isRetried = RequestFacts(rawValue: 128)
    /// Writing to the upstream failed; the response may still arrive.
    static let isUploadBroken = RequestFacts(rawValue: 256)
    /// Chunks are taken apart for a client that does not know them.
    static let decodesChunks = RequestFacts(rawValue: 512)
    /// A head has begun to arrive; its deadline is set.
    static let hasHeadBegun = RequestFacts(rawValue: 1024)
    /// The body was awaited by `Expect: 100-continue`.
    static let expectsContinue = RequestFacts(rawValue: 2048)
    /// Its runner was paused when it came.
    static let isWarm = RequestFacts(rawValue: 4096)
}

/// The state of one socket.
///
/// All indices are descriptors of the same loop; -1 stands for none.
struct Connection {
    /// Tells a stale event of the descriptor's former owner from one of this connection.
    var generation: UInt32
    var role: Role
    var phase: Phase
    var readiness = Readiness()
    /// Upstream: served a request before, so that the runner may have closed it meanwhile.
    var isReused = false
    /// Upstream: the runner keeps the connection after the current response.
    var isReusable = false
    /// Upstream: the sent bytes are still in `output`, so that they can be sent again.
    var keepsSent = false
    /// Upstream: 1xx responses to the current request.
    var informationalCount: UInt8 = 0
    /// Client: runners tried for the current request.
    var attempts: UInt8 = 0
    var requestIDCount: UInt8 = 0
    var peerTextCount: UInt8 = 0
    var request = RequestFacts()
    /// Bytes go through the socket as they are: neither TLS nor an HTTP/2 stream.
    var isPlain = true
    /// Client: came over TLS, itself or the connection that carries it.
    var isSecure = false
    /// Client: is a copy of a request; what is written to it is dropped.
    var isMirror = false
    /// Client: may still begin with HTTP/2's preface.
    var isFresh = false
    /// Client: counted among the connections of its address.
    var isCounted = false
    /// Client: whose it is.
    var address = ClientAddress()
    /// Client: its TLS state, freed with the connection.
    var tls: OpaquePointer?
    /// Client: the HTTP/2 session that it carries, retained.
    var session: UnsafeMutableRawPointer?
    /// Client: the HTTP/2 stream that it is, retained.
    var stream: UnsafeMutableRawPointer?
    /// Client: the copy of the current request that waits for its body; -1 for none.
    var mirror: Int32 = -1
    var peer: Int32 = -1
    var input = Buffer()
    var output = Buffer()
    /// Bytes at the front of `input` that are checked and go to the peer as they are.
    var ready: Int32 = 0
    /// Client: bytes of `input` in which no end of a head was found.
    var scanned: Int32 = 0
    /// Client: the length of the parsed head that still stands in `input`.
    var headLength: Int32 = 0
    /// Client: of the request.
    ///
    /// Upstream: of the response.
    var body = BodyTracker()
    var target: Int32 = -1
    var runner: Int32 = -1
    /// Links of the list that the connection is in: idle upstreams of a runner or parked clients of a target.
    var next: Int32 = -1
    var previous: Int32 = -1
    /// Link of the list of connections to go on with.
    var nextAgain: Int32 = -1
    var parkedBytes: Int32 = 0
    /// The loop's count of runner changes when the client was parked.
    var parkedAt: UInt32 = 0
    /// The sticky cookie to set, of the table that has `cookieTable`; -1 for none.
    var cookie: Int32 = -1
    var cookieTable: UInt32 = 0
    /// When the request must be over, in loop time.
    var requestDeadline: Int64 = 0
    /// When the request's head was complete, in microseconds of the loop's clock.
    var requestStart: Int64 = 0
    /// Client: bytes of the current request and its answer so far.
    var bytesIn: Int64 = 0
    var bytesOut: Int64 = 0
    /// Client: the first digit of the final answer's status; 0 before it.
    var answerClass: UInt8 = 0
    /// Client: how many bytes the current request's body may have.
    var bodyBytesMax = Int64.max
    /// Client: milliseconds in which `bodyWindowBytes` more than `bodySeen` must come; 0 for no such rule.
    var bodyWindow: Int32 = 0
    var bodyWindowBytes: Int64 = 0
    var bodySeen: Int64 = 0
    /// Bytes thrown away while lingering.
    var discarded: Int32 = 0

    init(generation: UInt32, role: Role, phase: Phase) {
        self.generation = generation
        self.role = role
        self.phase = phase
    }
}
