// BackupCommand: `meridian backup`: everything that a running platform must not lose, in one file.

internal import ArgumentParser
internal import Glibc
internal import MeridianContent

struct BackupCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up the running platform into one file.",
        discussion: """
            The file is a tar archive with the stored objects as of one revision, the registry's blobs, the audit log \
            and a list of digests. Secrets stay sealed in it. The keys that open them are left out unless --with-keys \
            asks for them: with them, whoever has the file can read every Secret and act as the admin. Without them, \
            keep keys/sealing.key of the data directory in a safe place of its own. `meridian restore` reads the file.
            """
    )

    @Argument(help: "The file to make; one that exists is left alone.", completion: .file()) var file: String

    @Flag(help: "Put the keys in as well: the sealing key, the API's authority and the admin's token.")
    var withKeys = false

    @OptionGroup var connection: ConnectionOptions

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        guard access(file, F_OK) != 0 else { throw Self.exists(file) }
        let unfinished = "\(file).\(getpid()).unfinished"
        defer { unlink(unfinished) }
        try await download(api, to: unfinished)
        // What is on the disk is what counts, so that it is read once more.
        let manifest = try BackupReading.read(unfinished)
        // Unlike a rename this never replaces what another program made meanwhile.
        guard link(unfinished, file) == 0 else {
            if errno == EEXIST { throw Self.exists(file) }
            throw CommandFailure(file, "cannot be made: \(String(cString: strerror(errno)))")
        }
        try DurableFile.syncDirectory(DurableFile.directory(of: file))
        context.output.writeLine(Self.summary(file, manifest))
        for line in Self.remarks(manifest) { context.errors.writeLine(line) }
        return manifest.facts.damaged.isEmpty ? CommandExitCode.success : CommandExitCode.failure
    }

    private func download(_ api: any ControlPlaneAPI, to path: String) async throws {
        let pieces = try await api.backup(withKeys: withKeys)
        let output = try OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        for try await piece in pieces { try output.write(piece) }
        try output.sync()
    }

    private static func exists(_ file: String) -> CommandFailure {
        CommandFailure(file, "it exists, and a backup replaces nothing", next: "Name another file, or move this one")
    }

    private static func summary(_ file: String, _ manifest: BackupManifest) -> String {
        let bytes = manifest.entries.reduce(0) { $0 + $1.size }
        return "\(file): \(manifest.entries.count) files, \(bytes) bytes, at revision \(manifest.facts.revision)"
    }

    /// What whoever keeps the file must know.
    private static func remarks(_ manifest: BackupManifest) -> [String] {
        let keys =
            manifest.facts.hasKeys
            ? "warning: the keys are in it: whoever has this file can open every Secret and act as the admin"
            : "note: the keys are not in it: keep keys/sealing.key of the data directory in a safe place of its own;"
                + " without it the Secrets in this backup cannot be opened"
        return [keys]
            + manifest.facts.damaged.map {
                "error: blob \($0) is damaged in the registry and not in the backup; rebuild what uses it"
            }
    }
}
