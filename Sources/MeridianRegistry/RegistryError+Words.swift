// RegistryError+Words: the registry's failures, each with its next step.
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

extension RegistryError {
    static func notFound(_ digest: Digest) -> RegistryError {
        RegistryError(
            .notFound,
            "\(digest) is not in the registry. Build or upload it again (meridian rebuild APP)",
            digest: digest
        )
    }

    static func corrupted(_ digest: Digest, keptAt path: String) -> RegistryError {
        RegistryError(
            .corrupted,
            "\(digest) is damaged on disk; it was moved to \(path)."
                + " Build or upload it again (meridian rebuild APP), and check the disk",
            digest: digest
        )
    }

    static func tooLarge(_ what: String, _ bytesMax: Int) -> RegistryError {
        RegistryError(
            .refused,
            "\(what) is larger than \(bytesMax) bytes, the most that the registry keeps as one blob"
        )
    }

    /// A failure on the file system; a form that is refused stays refused.
    static func content(_ error: ContentError, _ digest: Digest? = nil) -> RegistryError {
        switch error.code {
        case .refused: RegistryError(.refused, error.message, digest: digest)
        case .corrupted: RegistryError(.corrupted, error.message, digest: digest)
        case .notFound, .unavailable: RegistryError(.unavailable, error.message, digest: digest)
        }
    }
}
