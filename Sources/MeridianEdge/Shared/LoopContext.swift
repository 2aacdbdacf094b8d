// LoopContext: what all loops of an edge share and none of them changes.
internal import MeridianModel
internal import MeridianRouting

/// Made once before the loops start.
final class LoopContext: Sendable {
    let limits: EdgeLimits
    let region: String
    /// One per loop, in the order of the loops.
    let mailboxes: [LoopMailbox]
    /// One per loop: word 0 holds its client connections, word 1 the longest swap of a table in microseconds,
    /// those of `EdgeRefusal` what was refused.
    let counts: [CounterLine]
    let turns = TurnTable()
    let clientCounts = ClientCounts()
    let demand: @Sendable (RunnerDemand) -> Void
    let certificates: CertificateBook
    let proxyRanges: [AddressRange]
    /// The port for redirects to https; 0 where TLS is not spoken.
    let securePort: UInt16
    /// Descriptors from this on have no place in a loop's table.
    let descriptorsMax: Int

    init(
        _ configuration: EdgeConfiguration,
        mailboxes: [LoopMailbox],
        certificates: CertificateBook,
        securePort: UInt16,
        descriptorsMax: Int,
        demand: @escaping @Sendable (RunnerDemand) -> Void
    ) {
        limits = configuration.limits
        region = configuration.region
        proxyRanges = configuration.proxyRanges
        self.mailboxes = mailboxes
        self.certificates = certificates
        self.securePort = securePort
        counts = mailboxes.map { _ in CounterLine() }
        self.descriptorsMax = descriptorsMax
        self.demand = demand
    }
}
