// ClientAddress: whose a connection is, as a number.
internal import CLinux
internal import MeridianModel

/// A client's address in the form of IPv6, in two words, since a connection holds it.
struct ClientAddress {
    private var high: UInt64 = 0
    private var low: UInt64 = 0

    /// Nobody's.
    init() {}

    init(_ address: inout clinux_address) {
        let number = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { memory -> UInt128 in
            guard let base = memory.baseAddress else { return 0 }
            let count = max(0, Int(clinux_address_bytes(&address, base)))
            return addressNumber(UnsafeBufferPointer(rebasing: memory[..<count]))
        }
        high = UInt64(truncatingIfNeeded: number >> 64)
        low = UInt64(truncatingIfNeeded: number)
    }

    /// For look-ups in ranges.
    var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// A hash of the client for counts of kind `salt`, with a secret of this process, so that nobody can choose whom to
    /// share a count with.
    ///
    /// Who has an IPv6 address has all of its network of 64 bits.
    func key(_ salt: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(salt)
        hasher.combine(high)
        // ::ffff:0:0/96, where IPv4 stands.
        if high == 0 { hasher.combine(low) }
        return hasher.finalize()
    }
}
