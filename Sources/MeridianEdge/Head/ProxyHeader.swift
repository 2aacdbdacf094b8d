// ProxyHeader: the binary header of the PROXY protocol, version 2, by which a balancer names the client's address.
internal import CLinux
internal import Glibc

/// What is known of a header (haproxy's proxy-protocol.txt, §2.2).
enum ProxyHeader {
    /// More bytes are needed, so many altogether.
    case needs(Int)
    /// The connection is the client's at this address.
    case client(clinux_address)
    /// The connection is the balancer's own, or of a family that has no IP address.
    case own
    case malformed

    /// Signature, version, family and length.
    static let prefixBytes = 16
    /// IPv6 addresses and the balancer's notes about the connection; real ones stay below 300.
    static let bytesMax = 1024

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// Reads the bytes from the connection's first on.
    init(_ bytes: Bytes, _ count: Int) {
        guard Self.signature.prefix(count).elementsEqual(UnsafeBufferPointer(start: bytes, count: min(count, 12)))
        else {
            self = .malformed
            return
        }
        guard count >= Self.prefixBytes else {
            self = .needs(Self.prefixBytes)
            return
        }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        // Version 2; the commands are LOCAL and PROXY.
        guard bytes[12] == 0x20 || bytes[12] == 0x21, Self.prefixBytes + length <= Self.bytesMax else {
            self = .malformed
            return
        }
        guard count >= Self.prefixBytes + length else {
            self = .needs(Self.prefixBytes + length)
            return
        }
        self = bytes[12] == 0x20 ? .own : Self.client(bytes + Self.prefixBytes, length, family: bytes[13])
    }

    private static func client(_ addresses: Bytes, _ length: Int, family: UInt8) -> ProxyHeader {
        func port(at offset: Int) -> UInt16 { UInt16(addresses[offset]) << 8 | UInt16(addresses[offset + 1]) }
        switch family {
        case 0x11 where length >= 12: return .client(clinux_address_v4(addresses, port(at: 8)))
        case 0x21 where length >= 36: return .client(clinux_address_v6(addresses, port(at: 32)))
        case 0x11, 0x21: return .malformed
        default: return .own
        }
    }
}
