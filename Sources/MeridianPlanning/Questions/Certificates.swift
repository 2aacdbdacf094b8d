// Certificates: with which certificate the hosts of each split are served.
import MeridianModel

extension World {
    /// The certificates that splits name, still sealed; the executor opens them on the way to a node.
    ///
    /// Sorted by first host. A split whose Secret is missing or does not open gives none: `certificateFault` says why.
    func certificates(_ routes: Routing) -> [HostCertificate] {
        var certificates: [HostCertificate] = []
        for split in splits.map(\.object) where split.metadata.deletionTimestamp == nil {
            guard let outcome = routes.splits[split.key.path], !outcome.hosts.isEmpty,
                let secret = certificateSecret(of: split)
            else { continue }
            var certificate = HostCertificate()
            certificate.hosts = outcome.hosts.sorted()
            for key in [HostCertificate.chainKey, HostCertificate.privateKey] {
                guard let text = secret.sealed[key] else { continue }
                certificate.sealed[key] = SealedValue(text: text, owner: "\(secret.key)/\(key)")
            }
            certificates.append(certificate)
        }
        return certificates.sorted { $0.hosts.lexicographicallyPrecedes($1.hosts) }
    }

    /// Why the certificate that a split names cannot be used; nil where it can, or where the split names none.
    func certificateFault(of split: TrafficSplit) -> SplitOutcome.Fault? {
        guard let name = split.spec.tls?.secret, certificateSecret(of: split) == nil else { return nil }
        return .init(
            reason: "CertificateMissing",
            message: "spec.tls.secret: Secret \"\(name)\" does not hold \(HostCertificate.chainKey) and"
                + " \(HostCertificate.privateKey) that open. Apply it or fix the name"
        )
    }

    private func certificateSecret(of split: TrafficSplit) -> Secret? {
        guard let name = split.spec.tls?.secret,
            let secret = secrets["\(split.metadata.namespace)/\(name)"]?.object
        else { return nil }
        let values = [HostCertificate.chainKey, HostCertificate.privateKey].compactMap { secret.sealed[$0] }
        return values.count == 2 && values.allSatisfy { !unopenable.contains($0) } ? secret : nil
    }
}
