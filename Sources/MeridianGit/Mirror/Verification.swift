// Verification: whether one of the allowed signers signed a commit.
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

extension Mirror {
    /// Checks the signature of a commit against the allowed signers alone; whatever this machine trusts does not count.
    func verify(_ commit: GitCommit, _ allowed: GitVerification) async throws(GitError) {
        let place = try makeTemporaryDirectory(in: "\(program.root)/temporary")
        defer { removeTemporary(place) }
        do throws(ContentError) {
            let signers = allowed.sshSigners.map { $0 + "\n" }.joined()
            try DurableFile.write(Array(signers.utf8), to: "\(place)/signers", mode: 0o600)
            try DurableFile.createDirectory("\(place)/gpg", mode: 0o700)
            try DurableFile.write(Array(Self.gpgLauncher(place).utf8), to: "\(place)/gpg.sh", mode: 0o700)
        } catch {
            throw GitError(.unavailable, "\(error)", commit: commit.id)
        }
        try await importKeys(allowed.gpgKeys, into: "\(place)/gpg", commit)
        let settings = [
            "-c", "gpg.ssh.allowedSignersFile=\(place)/signers", "-c", "gpg.program=\(place)/gpg.sh",
            "-c", "gpg.minTrustLevel=undefined",
        ]
        let end = await git(settings + ["verify-commit", "--raw", commit.id])
        guard end.succeeded else { throw unverified(commit, end) }
        // An OpenPGP signature counts only with a key that was given; an expired or revoked one is not good.
        let isOpenPGP = end.errors.contains("[GNUPG:]")
        let isGood = !isOpenPGP || (end.errors.contains(" GOODSIG ") && !allowed.gpgKeys.isEmpty)
        guard isGood, isOpenPGP || !allowed.sshSigners.isEmpty else { throw unverified(commit, end) }
    }

    private func unverified(_ commit: GitCommit, _ end: ChildEnd) -> GitError {
        let lines = end.errors.split(whereSeparator: \.isNewline).map { shownLine($0.utf8) }
        let words = lines.filter { !$0.hasPrefix("[GNUPG:]") }.prefix(2).joined(separator: "; ")
        let reason = words.isEmpty ? "it carries no signature" : words
        return GitError(
            .unverified,
            "commit \(commit.short) is not signed by an allowed signer: \(reason)."
                + " Sign it (git commit -S) or add the signer to spec.verify",
            commit: commit.id
        )
    }

    /// Gpg with a key ring of its own: git has no setting for it.
    private static func gpgLauncher(_ place: String) -> String {
        "#!/bin/sh\nexec gpg --homedir \"${0%/*}/gpg\" --no-options --no-autostart --trust-model always \"$@\"\n"
    }

    private func importKeys(_ keys: [String], into home: String, _ commit: GitCommit) async throws(GitError) {
        guard !keys.isEmpty else { return }
        guard let gpg = executable("gpg") else {
            throw GitError(.unavailable, "gpg is not installed. Install it: apt-get install gnupg", commit: commit.id)
        }
        let command = ChildCommand(
            arguments: [gpg, "--homedir", home, "--no-options", "--no-autostart", "--batch", "--quiet", "--import"],
            environment: ["PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=\(home)"],
            input: Array(keys.joined(separator: "\n").utf8),
            outputBytesMax: 1 << 16,
            deadline: deadline
        )
        let end = await ChildProcess.run(command)
        guard end.succeeded else {
            throw GitError(
                .refused,
                "spec.verify.gpgKeys cannot be read: \(shownLine(end.errors.utf8))",
                commit: commit.id
            )
        }
    }
}
