// RestoreCommand: `meridian restore`: a data directory from a backup.
import ArgumentParser
import MeridianContent
import MeridianControlPlane
import MeridianModel

/// Makes a data directory that `meridian up` starts from.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a data directory from a backup.",
        discussion: """
            Every byte is compared with the backup's list of digests before anything is in place; a file that was cut \
            or changed leaves nothing behind. The platform must not run on the directory. Afterwards start it with \
            `meridian up --data DIRECTORY`: clients that watch are told to list again (410), since its revisions leap \
            ahead.
            """
    )

    @Argument(help: "The file that `meridian backup` made.", completion: .file())
    var file: String

    @Option(help: "The data directory to make.", completion: .directory)
    var data = ".meridian"

    @Flag(
        help: "If the directory is not empty, put the backup in its place, and keep what is there under another name."
    )
    var replace = false

    @Option(
        help: "A sealing key (keys/sealing.key of the old data directory), for a backup without keys.",
        completion: .file()
    )
    var sealingKey: String?

    func run() async throws {
        let report: RestoreReport
        do {
            report = try await BackupRestoring.run(
                RestoreOptions(backup: file, data: data, replaces: replace, sealingKey: sealingKey)
            )
        } catch {
            complain("error: \(error)")
            throw ExitCode(1)
        }
        tell(report)
    }

    private func tell(_ report: RestoreReport) {
        let facts = report.manifest.facts
        say(
            "\(data): restored \(report.objects) objects and \(report.manifest.entries.count) files as of"
                + " \(facts.createdAt) (revision \(facts.revision), by meridian \(facts.version))"
        )
        if let replaced = report.replaced { say("what was there is kept: \(replaced)") }
        for digest in facts.damaged {
            complain("warning: blob \(digest) was damaged when the backup was made; rebuild what uses it")
        }
        if !facts.hasKeys {
            complain(
                "note: the API's authority and the admin's token were not in the backup; new ones are made at the next"
                    + " start, and clients need the new ones"
            )
        }
        guard !report.closedSecrets.isEmpty else { return }
        complain("warning: no key here opens these Secrets; apply them again, or restore with --sealing-key:")
        for secret in report.closedSecrets { complain("  \(secret.namespace)/\(secret.name)") }
    }
}
