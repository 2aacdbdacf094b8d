// BackupPort: a copy of everything that a control plane keeps.

/// Backs up a control plane while it runs.
package protocol BackupPort: Sendable {
    /// The bytes of a backup, as they are made: a tar archive that ends with the digests of all that is in it.
    ///
    /// Stored objects are those of one revision; their Secrets stay sealed. The keys that open them, and those of the
    /// API, are in it only `withKeys`. Once the stream throws, what came before is no backup.
    /// - Throws: `.unavailable` while another backup is made, or where the disk has no room for a copy of the store.
    func backup(withKeys: Bool) async throws(BackendError) -> BlobBytes
}
