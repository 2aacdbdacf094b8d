// EdgeStart: binding the listeners and bringing the loops onto their threads.
internal import CLinux
internal import CTLS
internal import Glibc
internal import MeridianModel
internal import MeridianRouting

/// Everything that is made before the first loop runs.
struct EdgeStart {
    /// Connections that the kernel holds until a loop accepts them.
    private static let backlog: Int32 = 1024
    /// Entries of a loop's table; each touched one costs some 400 bytes.
    private static let descriptorsMax: Int64 = 1 << 18

    let context: LoopContext
    let addresses: [EdgeAddress]
    /// By loop, one per address: the plain ones, then those with TLS.
    private let listeners: [[Int32]]
    private let plainCount: Int

    init(
        _ configuration: EdgeConfiguration,
        _ certificates: CertificateBook,
        demand: @escaping @Sendable (RunnerDemand) -> Void
    ) throws(EdgeError) {
        let listen = configuration.listen + configuration.secureListen
        guard (1...EdgeConfiguration.loopsMax).contains(configuration.loops), !listen.isEmpty else {
            throw EdgeError(
                code: .badConfiguration,
                message: "\(configuration.loops) loops on \(listen.count) addresses; "
                    + "give 1 to \(EdgeConfiguration.loopsMax) loops and at least one address"
            )
        }
        let limit = clinux_raise_descriptor_limit()
        guard limit > 0 else { throw EdgeError(code: .noResources, message: "cannot read the descriptor limit") }
        var mailboxes: [LoopMailbox] = []
        for _ in 0..<configuration.loops { mailboxes.append(try LoopMailbox()) }
        var bound: [EdgeAddress] = []
        var opened = [[Int32]](repeating: [], count: configuration.loops)
        do throws(EdgeError) {
            for address in listen {
                var port = address.port
                for loop in 0..<configuration.loops {
                    let listener = try Self.listen(EdgeAddress(host: address.host, port: port))
                    opened[loop].append(listener)
                    port = Self.port(of: listener)
                }
                bound.append(EdgeAddress(host: address.host, port: port))
            }
        } catch {
            for listener in opened.joined() { close(listener) }
            throw error
        }
        addresses = bound
        listeners = opened
        plainCount = configuration.listen.count
        context = LoopContext(
            configuration,
            mailboxes: mailboxes,
            certificates: certificates,
            securePort: bound.dropFirst(plainCount).first?.port ?? 0,
            descriptorsMax: Int(min(limit, Self.descriptorsMax)),
            demand: demand
        )
    }

    /// Closes what was opened, where the start does not go on.
    func cancel() {
        for listener in listeners.joined() { close(listener) }
    }

    /// Starts one thread per loop.
    func run() throws(EdgeError) {
        for index in listeners.indices {
            var loop = Loop(index, context, try LoopTables(descriptorsMax: context.descriptorsMax))
            try loop.watch(listeners[index].prefix(plainCount), secure: listeners[index].dropFirst(plainCount))
            let carrier = LoopCarrier(loop, name: "edge-\(index)")
            var thread = pthread_t()
            let result = pthread_create(
                &thread,
                nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<LoopCarrier>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                },
                Unmanaged.passRetained(carrier).toOpaque()
            )
            guard result == 0 else {
                throw EdgeError(code: .noResources, message: "cannot start a thread (errno \(result)); raise the limit")
            }
            pthread_detach(thread)
        }
    }

    private static func listen(_ address: EdgeAddress) throws(EdgeError) -> Int32 {
        guard let numeric = NumericAddress(host: address.host, port: address.port) else {
            throw EdgeError(
                code: .badAddress,
                message: "\"\(address.host)\" is not a numeric address; give one such as 127.0.0.1 or ::1"
            )
        }
        var socketAddress = numeric.socketAddress
        let listener = clinux_listen(&socketAddress, backlog)
        guard listener >= 0 else {
            throw EdgeError(
                code: .cannotListen,
                message:
                    "cannot listen on \(address): \(String(cString: strerror(-listener))); "
                    + "free the port or choose another"
            )
        }
        return listener
    }

    private static func port(of listener: Int32) -> UInt16 {
        var address = clinux_address()
        return clinux_local_address(listener, &address) == 0 ? clinux_address_port(&address) : 0
    }
}

/// Carries a loop from the thread that made it to the one that runs it.
///
/// `@unchecked Sendable`: the maker gives the only reference away before the thread starts, and only the thread
/// uses it.
private final class LoopCarrier: @unchecked Sendable {
    private var loop: Loop?
    /// What process viewers show.
    private let name: String

    init(_ loop: consuming Loop, name: String) {
        self.loop = consume loop
        self.name = name
    }

    func run() {
        clinux_name_thread(name)
        let isBlocked = ctls_block_pipe_signal() == 0
        precondition(isBlocked, "pthread_sigmask failed although its arguments are fixed")
        guard var loop = loop.take() else { preconditionFailure("a loop is run twice") }
        loop.run()
    }
}
