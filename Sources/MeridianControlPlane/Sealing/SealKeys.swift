// SealKeys: the keyring as the API asks for it.
import Logging
import MeridianContent
import MeridianModel
import MeridianPorts

/// Answers with public keys.
struct SealKeys: SealKeyPort {
    let keyring: SealKeyring
    let clock: any ClockPort

    func sealKey() async throws(BackendError) -> JSONValue {
        guard let pair = keyring.current else {
            throw BackendError(.unavailable, "there is no key pair; start the platform again to have one made")
        }
        return [
            "id": .string(pair.key.publicKey.id), "publicKey": .string(pair.key.publicKey.pem),
            "createdAt": .string(pair.createdAt.description),
        ]
    }

    func rotateSealKey() async throws(BackendError) -> JSONValue {
        do throws(ContentError) {
            try keyring.add(now: clock.now)
        } catch {
            throw BackendError(.unavailable, "another key pair cannot be made: \(error)")
        }
        return try await sealKey()
    }
}

extension SealKeyring {
    /// Tells of the files that the sealing key does not open.
    func report(to logger: Logger) {
        for file in closedFiles {
            logger.warning(
                "a key pair for sealing does not open; values sealed with it are closed until its sealing key is back",
                metadata: ["file": "\(file)"]
            )
        }
    }
}
