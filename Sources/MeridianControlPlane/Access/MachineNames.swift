// MachineNames: what clients may call this machine: its host name and the addresses that it listens on.
import CLinux
import Glibc

/// The names for a certificate of a server that listens on `host`.
///
/// `localhost` and its addresses are always among them; where `host` is the wildcard, so is every address of the machine.
func machineNames(listeningOn host: String, besides given: [String]) -> [String] {
    var names = ["localhost", "127.0.0.1", "::1"] + given
    var name = [CChar](repeating: 0, count: hostNameBytesMax + 1)
    if gethostname(&name, hostNameBytesMax) == 0 {
        names.append(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    return names + (isWildcard(host) ? interfaceAddresses() : [host])
}

/// Whether an address stands for every address of the machine.
func isWildcard(_ host: String) -> Bool { ["0.0.0.0", "::", "*"].contains(host) }

/// gethostname(2): HOST_NAME_MAX on Linux.
private let hostNameBytesMax = 64

/// Every IPv4 and IPv6 address of the machine, without those of a single link, which are of no use without its name.
private func interfaceAddresses() -> [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next?.pointee {
        next = entry.ifa_next
        guard let address = entry.ifa_addr, let text = numericText(address), !text.hasPrefix("fe80:") else { continue }
        if !addresses.contains(text) { addresses.append(text) }
    }
    return addresses
}

private func numericText(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
    let length: Int
    switch Int32(address.pointee.sa_family) {
    case AF_INET: length = MemoryLayout<sockaddr_in>.size
    case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
    default: return nil
    }
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let result = getnameinfo(
        address,
        socklen_t(length),
        &text,
        socklen_t(text.count),
        nil,
        0,
        NI_NUMERICHOST
    )
    return result == 0 ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}
