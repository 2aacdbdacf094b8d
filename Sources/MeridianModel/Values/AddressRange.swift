// AddressRange: a block of IP addresses in CIDR form, matched without a resolver.

/// `10.0.0.0/8`, `2001:db8::/32`, or a single address.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let prefixLength: Int

    /// Nil for anything but a numeric address with an optional prefix length; bits behind the prefix are ignored.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NumericAddress(host: String(parts[0]), port: 0) else { return nil }
        bytes = address.bytes
        guard parts.count == 2 else {
            prefixLength = bytes.count * 8
            return
        }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]),
            (0...bytes.count * 8).contains(length)
        else { return nil }
        prefixLength = length
    }

    /// Whether an address of 4 or 16 bytes in network order lies within.
    package func contains(_ address: UnsafeBufferPointer<UInt8>) -> Bool {
        guard address.count == bytes.count else { return false }
        let whole = prefixLength / 8
        for index in 0..<whole where address[index] != bytes[index] { return false }
        let rest = prefixLength % 8
        guard rest > 0 else { return true }
        let mask = UInt8.max << UInt8(8 - rest)
        return address[whole] & mask == bytes[whole] & mask
    }

    /// The first and the last address, with IPv4 in the place that IPv6 gives it (`::ffff:0:0/96`, RFC 4291 §2.5.5.2).
    package var bounds: ClosedRange<UInt128> {
        let free = UInt128(bytes.count * 8 - prefixLength)
        let mask = free == 128 ? UInt128.max : (UInt128(1) << free) - 1
        let address = addressNumber(bytes)
        return (address & ~mask)...(address | mask)
    }

    package var description: String {
        let address = NumericAddress(bytes: bytes, port: 0).description
        // Without the port, and without the brackets of IPv6.
        let host = address.dropLast(2).drop { $0 == "[" }.prefix { $0 != "]" }
        return "\(host)/\(prefixLength)"
    }
}

/// An address of 4 or 16 bytes in network order as a number, with IPv4 in the place that IPv6 gives it.
package func addressNumber(_ bytes: some Collection<UInt8>) -> UInt128 {
    let number = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    return bytes.count == 4 ? number | 0xFFFF << 32 : number
}
