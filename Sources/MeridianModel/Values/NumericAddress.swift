// NumericAddress: an IP address with a port, read from text without a resolver.

/// `1.2.3.4:80` or `[2001:db8::1]:80`: where an address backend or a listener is.
package struct NumericAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 bytes of IPv4 or 16 bytes of IPv6, in network order.
    package let bytes: [UInt8]
    package let port: UInt16

    /// `bytes`: 4 or 16 of them, in network order.
    package init(bytes: [UInt8], port: UInt16) {
        self.bytes = bytes
        self.port = port
    }

    package init?(host: String, port: UInt16) {
        guard let bytes = Self.ipv4(host) ?? Self.ipv6(host) else { return nil }
        self.bytes = bytes
        self.port = port
    }

    /// Parses `HOST:PORT`; an IPv6 host stands in brackets; the port is 1 to 65535.
    ///
    /// Nil for names and anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        let host = text[..<colon]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else {
            return nil
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let bytes = Self.ipv6(String(host.dropFirst().dropLast())) else { return nil }
            self.bytes = bytes
        } else {
            guard let bytes = Self.ipv4(String(host)) else { return nil }
            self.bytes = bytes
        }
        self.port = port
    }

    /// The form that `init(_:)` reads; IPv6 groups are not shortened.
    package var description: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") + ":\(port)" }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return "[" + groups.map { String($0, radix: 16) }.joined(separator: ":") + "]:\(port)"
    }

    /// Four decimal numbers without leading zeros (RFC 3986 §3.2.2).
    private static func ipv4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let byte = UInt8(part) else { return nil }
            guard part.utf8.count == 1 || part.utf8.first != 0x30 else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// Groups of at most four hexadecimal digits, once shortened by `::` (RFC 4291 §2.2), without a zone.
    private static func ipv6(_ text: String) -> [UInt8]? {
        let halves = text.components(around: "::")
        guard halves.count <= 2 else { return nil }
        var parts: [[UInt8]] = []
        for half in halves {
            guard let bytes = groups(half) else { return nil }
            parts.append(bytes)
        }
        guard parts.count == 2 else { return parts[0].count == 16 ? parts[0] : nil }
        let missing = 16 - parts[0].count - parts[1].count
        return missing >= 2 ? parts[0] + [UInt8](repeating: 0, count: missing) + parts[1] : nil
    }

    private static func groups(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for group in text.split(separator: ":", omittingEmptySubsequences: false) {
            guard (1...4).contains(group.utf8.count), !group.hasPrefix("+"), !group.hasPrefix("-"),
                let value = UInt16(group, radix: 16)
            else { return nil }
            bytes.append(UInt8(value >> 8))
            bytes.append(UInt8(value & 0xFF))
        }
        return bytes.count <= 16 ? bytes : nil
    }
}

extension String {
    /// The parts between occurrences of `separator`.
    fileprivate func components(around separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = Substring(self)
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
