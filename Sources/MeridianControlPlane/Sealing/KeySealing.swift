// KeySealing: the sealing key of the data directory behind its port, and the key pairs for Git.
import MeridianContent
import MeridianModel
package import MeridianPorts

/// Seals with the key in the data directory; opens what it sealed, and what others sealed with a public key.
package struct KeySealing: SealingPort {
    private let sealing: Sealing
    let keyring: SealKeyring

    /// Opens or creates the key file and the first key pair.
    package init(_ directory: DataDirectory) throws(ControlPlaneError) {
        do throws(ContentError) {
            try DurableFile.createDirectory(directory.keys, mode: 0o700)
            sealing = try Sealing(keyFile: directory.sealingKey)
            keyring = try SealKeyring(directory: directory.sealKeys, sealing: sealing)
            try keyring.makeFirst(now: SystemClock().now)
        } catch {
            throw ControlPlaneError("the sealing key: \(error)")
        }
    }

    /// Opens the key file and the key pairs that are there, and makes none.
    init(keyFile: String, pairs: String) throws(ControlPlaneError) {
        do throws(ContentError) {
            sealing = try Sealing(keyFile: keyFile)
            keyring = try SealKeyring(directory: pairs, sealing: sealing)
        } catch {
            throw ControlPlaneError("the sealing key: \(error)")
        }
    }

    package func seal(_ plain: String, for owner: String) throws(SealingError) -> String {
        do throws(ContentError) {
            return try sealing.seal(Array(plain.utf8), for: owner)
        } catch {
            throw sealingError(error)
        }
    }

    package func open(_ sealed: String, for owner: String) throws(SealingError) -> String {
        let bytes: [UInt8]
        do throws(ContentError) {
            bytes =
                PublicSealing.isSealed(sealed)
                ? try keyring.open(sealed, for: owner) : try sealing.open(sealed, for: owner)
        } catch {
            throw sealingError(error)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SealingError(.corrupted, "\(owner): what was sealed is not UTF-8 text; encode it as base64 first")
        }
        return text
    }

    package func fingerprint(_ sealed: String) -> String {
        "sealed:\(Digest.of(Array(sealed.utf8)).short)"
    }

    private func sealingError(_ error: ContentError) -> SealingError {
        switch error.code {
        case .corrupted: SealingError(.corrupted, "\(error)")
        case .refused: SealingError(.refused, "\(error)")
        default: SealingError(.unavailable, "\(error)")
        }
    }
}
