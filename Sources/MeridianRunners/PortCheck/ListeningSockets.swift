// ListeningSockets: where the programs of a network namespace accept TCP connections.
internal import CLinux
internal import Glibc

/// The kernel's tables of sockets, read inside other network namespaces.
struct SocketTables: Sendable {
    private let own: Descriptor

    init() throws(SystemError) { own = try Descriptor.open("/proc/self/ns/net", O_RDONLY) }

    /// The listening sockets of a namespace, each once, sorted.
    ///
    /// Never those of another one, even where the runner has ended: the namespace is found by its descriptor.
    func listening(in network: Descriptor) -> [ListeningSocket] {
        let tables = ["tcp", "tcp6"].map { table in
            let raw = clinux_open_in_namespace(network.raw, own.raw, "/proc/thread-self/net/\(table)")
            // Not there: a kernel without IPv6.
            guard raw >= 0 else { return "" }
            return (try? readText(Descriptor(owning: raw), "net/\(table)")) ?? ""
        }
        return Set(tables.flatMap(ListeningSocket.parse)).sorted { ($0.port, $0.address) < ($1.port, $1.address) }
    }
}

/// One listening TCP socket.
struct ListeningSocket: Sendable, Hashable, CustomStringConvertible {
    enum Scope: Sendable { case any, loopback, other }

    let scope: Scope
    /// As people write it: `0.0.0.0`, `127.0.0.1`, `[::]`.
    let address: String
    let port: UInt16

    var description: String { "\(address):\(port)" }

    /// Lines such as `0: 0100007F:1F90 00000000:0000 0A …`: address and port in hexadecimal, state 0A listens
    /// (proc_pid_net(5)).
    static func parse(_ table: String) -> [ListeningSocket] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[3] == "0A" else { return nil }
            let parts = fields[1].split(separator: ":")
            guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
            return socket(words: String(parts[0]), port: port)
        }
    }

    /// Each group of eight digits is one 32-bit word in the machine's byte order.
    private static func socket(words: String, port: UInt16) -> ListeningSocket? {
        guard words.utf8.count == 8 || words.utf8.count == 32 else { return nil }
        var bytes: [UInt8] = []
        var rest = Substring(words)
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            bytes += withUnsafeBytes(of: word.littleEndian) { Array($0) }
            rest = rest.dropFirst(8)
        }
        let isMapped = bytes.count == 16 && bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff
        let isLoopback6 = bytes.count == 16 && bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
        if bytes.allSatisfy({ $0 == 0 }) {
            return ListeningSocket(scope: .any, address: bytes.count == 4 ? "0.0.0.0" : "[::]", port: port)
        }
        if isLoopback6 { return ListeningSocket(scope: .loopback, address: "[::1]", port: port) }
        if bytes.count == 4 || isMapped {
            let four = bytes.suffix(4)
            let address = four.map(String.init).joined(separator: ".")
            return ListeningSocket(scope: four.first == 127 ? .loopback : .other, address: address, port: port)
        }
        return ListeningSocket(scope: .other, address: "[\(words.lowercased())]", port: port)
    }
}
