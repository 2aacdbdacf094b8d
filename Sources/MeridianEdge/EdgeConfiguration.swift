// EdgeConfiguration: where an edge listens, how many loops it has and what it refuses to exceed.
package import MeridianModel

/// A numeric address to listen on.
package struct EdgeAddress: Sendable, Hashable, CustomStringConvertible {
    /// `127.0.0.1`, `0.0.0.0`, `::1`, `::`; without brackets.
    package let host: String
    /// 0 lets the kernel choose.
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What an edge is started with.
package struct EdgeConfiguration: Sendable {
    package var listen: [EdgeAddress]
    /// Where TLS is spoken, with the certificates of `setCertificates` and those that `issuer` makes.
    package var secureListen: [EdgeAddress] = []
    package var issuer: CertificateIssuer?
    /// Balancers whose connections begin with a PROXY protocol header (version 2) that names the client.
    package var proxyRanges: [AddressRange] = []
    /// Threads, each with its own listeners and connections; 1 to `loopsMax`.
    package var loops: Int
    /// The answer header `x-meridian-region`.
    package var region: String
    package var limits: EdgeLimits

    /// More loops than this gain nothing on one machine and each costs a table of connections.
    package static let loopsMax = 64

    package init(listen: [EdgeAddress], loops: Int, region: String, limits: EdgeLimits = EdgeLimits()) {
        self.listen = listen
        self.loops = loops
        self.region = region
        self.limits = limits
    }
}

/// The bounds of an edge; times are milliseconds, since loops count in them.
package struct EdgeLimits: Sendable {
    /// Client connections of one loop: beyond, a connection is answered 503 and closed.
    package var connectionsPerLoopMax = 50_000
    /// A request head, all lines together; browsers send below 8 kB, and one buffer must hold it twice.
    package var headBytesMax = 16 * 1024
    /// A request target, as nginx and most servers bound it.
    package var targetBytesMax = 8 * 1024
    /// From the first byte of a head to its last: slower clients get 408.
    package var headMilliseconds: Int64 = 10_000
    /// A kept connection without a request.
    package var clientIdleMilliseconds: Int64 = 60_000
    /// A kept connection to a runner without a request; below the 5 s at which common servers close theirs.
    package var upstreamIdleMilliseconds: Int64 = 4000
    /// Kept connections to one runner on one loop.
    package var upstreamIdleMax = 128
    /// Connecting to a runner, which is on this machine, or to an address backend.
    package var connectMilliseconds: Int64 = 3000
    /// Waiting requests of one revision, all loops together: more could not be answered in time.
    package var parkedRequestsMax = 1024
    /// Bytes of heads and bodies that one revision's waiting requests hold, all loops together.
    package var parkedBytesMax = 8 << 20
    /// A copy of a request for a mirror, head and body: it stays in one buffer with room for what the edge adds.
    package var mirrorBytesMax = 48 * 1024
    /// Copies under way on one loop, each with a buffer: further requests are not copied.
    package var mirrorsMax = 256
    /// Failures of one runner in a row until it gets no requests for a while.
    package var ejectionFailures: Int64 = 5
    /// How long the first time; each further time is twice as long.
    package var ejectionMilliseconds: Int64 = 1000
    /// How long at most: a runner that has recovered is found out within a minute.
    package var ejectionMillisecondsMax: Int64 = 60_000
    /// A tunnel (101) without a byte in either direction.
    package var tunnelIdleMilliseconds: Int64 = 600_000
    /// How long a client may still send after an answer that did not wait for its body.
    package var lingerMilliseconds: Int64 = 2000
    /// Memory for requests and answers on their way, all loops together: beyond, new ones are answered 503.
    package var bufferBytesMax = 1 << 30
    /// The least time between two calls of `demand` for one revision.
    package var demandRepeatMilliseconds: Int64 = 1000

    package init() {}
}
