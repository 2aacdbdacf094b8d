// FetchTests: pushes, force-pushes, deleted branches, tags, cut connections, wrong signatures, over real repositories.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianGit

@Suite("Fetching a repository")
struct FetchTests {
    @Test("a push is seen at the next look, and a look without a push reads nothing")
    func push() async throws {
        let repository = try TestRepository()
        let first = try repository.commit(["a.yaml": region("fra")])
        let engine = try repository.engine()
        var request = repository.request()
        let reading = try #require(try await engine.read(request))
        #expect(reading.commit.id == first)
        #expect(reading.commit.author == "Anna")
        #expect(reading.objects.map(\.key.description) == ["Region/fra"])
        request.known = first
        #expect(try await engine.read(request) == nil)
        let second = try repository.commit(["b.yaml": region("ams")])
        let next = try #require(try await engine.read(request))
        #expect(next.commit.id == second)
        #expect(next.objects.map(\.key.name).sorted() == ["ams", "fra"])
    }

    @Test("a force-push and a rewritten history are one more commit")
    func rewritten() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        try repository.commit(["b.yaml": region("ams")])
        let engine = try repository.engine()
        _ = try await engine.read(repository.request())
        try repository.git("reset --quiet --hard HEAD~1")
        let forced = try repository.commit(["c.yaml": region("nrt")])
        let reading = try #require(try await engine.read(repository.request()))
        #expect(reading.commit.id == forced)
        #expect(reading.objects.map(\.key.name).sorted() == ["fra", "nrt"])
        try repository.git("checkout --quiet --orphan other")
        let orphan = try repository.commit(["a.yaml": nil, "c.yaml": nil, "d.yaml": region("lhr")])
        try repository.git("branch --force main other")
        let other = try #require(try await engine.read(repository.request()))
        #expect(other.commit.id == orphan)
        #expect(other.objects.map(\.key.name) == ["lhr"])
    }

    @Test("a deleted branch is an error, not an empty set; it is read again when it is back")
    func deletedBranch() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        try repository.git("branch release")
        let engine = try repository.engine()
        _ = try await engine.read(repository.request(.ref("release")))
        try repository.git("branch --quiet -D release")
        let error = await gitError { _ = try await engine.read(repository.request(.ref("release"))) }
        #expect(error?.code == .refMissing)
        #expect(error?.message.contains("\"release\"") == true)
        try repository.git("branch release")
        #expect(try await engine.read(repository.request(.ref("release")))?.objects.count == 1)
    }

    @Test("branches, tags, the default branch and whole commit ids are read; a branch wins over a tag of its name")
    func selections() async throws {
        let repository = try TestRepository()
        let first = try repository.commit(["a.yaml": region("fra")])
        try repository.git("tag --annotate v1.0.0 --message one")
        try repository.git("tag both")
        let second = try repository.commit(["a.yaml": region("ams")])
        try repository.git("branch both")
        let engine = try repository.engine()
        func commit(_ selection: GitSelection) async throws -> String? {
            try await engine.read(repository.request(selection))?.commit.id
        }
        #expect(try await commit(.head) == second)
        #expect(try await commit(.ref("v1.0.0")) == first)
        #expect(try await commit(.ref("refs/tags/both")) == first)
        #expect(try await commit(.ref("both")) == second)
        #expect(try await commit(.ref(first)) == first)
    }

    @Test("a version range takes the highest tag, and a newer one when it is pushed")
    func versions() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        for tag in ["v1.2.0", "1.10.0", "v2.0.0", "v1.11.0-rc.1", "nightly"] { try repository.git("tag \(tag)") }
        let engine = try repository.engine()
        let range = try #require(VersionRange("1.x"))
        #expect(try await engine.read(repository.request(.version(range)))?.tag == "1.10.0")
        try repository.git("tag v1.11.0")
        #expect(try await engine.read(repository.request(.version(range)))?.tag == "v1.11.0")
        let none = try #require(VersionRange(">=3"))
        #expect(await gitError { _ = try await engine.read(repository.request(.version(none))) }?.code == .refMissing)
    }

    @Test("hooks and settings of a repository are not run, and a submodule is not fetched")
    func nothingRuns() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra"), ".gitattributes": "*.yaml filter=evil\n"])
        let mark = "\(repository.directory)/ran"
        try DurableFile.write(Array("#!/bin/sh\ntouch \(mark)\n".utf8), to: "\(repository.path)/.git/evil", mode: 0o755)
        try repository.git("config uploadpack.packObjectsHook \(repository.path)/.git/evil")
        try repository.git("config filter.evil.smudge \(repository.path)/.git/evil")
        for hook in ["post-checkout", "reference-transaction", "pre-auto-gc"] {
            let script = Array("#!/bin/sh\ntouch \(mark)\n".utf8)
            try DurableFile.write(script, to: "\(repository.path)/.git/hooks/\(hook)", mode: 0o755)
        }
        let engine = try repository.engine()
        #expect(try await engine.read(repository.request())?.objects.count == 1)
        #expect(access(mark, F_OK) != 0)
    }

    @Test(
        "URLs that would start a program or an option are refused",
        arguments: [
            "ext::sh -c true", "--upload-pack=touch", "http://example.org/x.git",
            "https://user:secret@example.org/x.git",
            "git://example.org/x", "/srv/repo", "ssh://-oProxyCommand=true/x",
        ]
    )
    func refusedURLs(url: String) { #expect(gitURLFault(url) != nil) }

    @Test(
        "usual URLs are taken",
        arguments: [
            "https://example.org/x.git", "ssh://git@example.org:22/x.git", "git@example.org:team/x.git",
            "file:///srv/repo.git", "http://127.0.0.1:8080/x.git", "http://localhost/x.git",
        ]
    )
    func takenURLs(url: String) { #expect(gitURLFault(url) == nil) }

    @Test("a commit is taken only when an allowed signer signed it")
    func signatures() async throws {
        guard executable("ssh-keygen") != nil else { return print("skipped: ssh-keygen is not installed") }
        let repository = try TestRepository()
        let (code, output) = shell(
            "cd \(repository.directory) && ssh-keygen -q -t ed25519 -N '' -f anna && ssh-keygen -q -t ed25519 -N '' -f eve"
        )
        try #require(code == 0, "\(output)")
        func signer(_ name: String) throws -> String {
            "anna@example.org " + shell("cut -d' ' -f1,2 \(repository.directory)/\(name).pub").output
        }
        let signing = "-c gpg.format=ssh -c user.signingkey=\(repository.directory)/anna -c commit.gpgsign=true"
        let signed = try repository.commit(["a.yaml": region("fra")], options: signing)
        let engine = try repository.engine()
        var request = repository.request()
        var allowed = GitVerification()
        allowed.sshSigners = [try signer("anna")]
        request.verification = allowed
        #expect(try await engine.read(request)?.commit.id == signed)
        allowed.sshSigners = [try signer("eve")]
        request.verification = allowed
        let wrong = await gitError { _ = try await engine.read(request) }
        #expect(wrong?.code == .unverified)
        #expect(wrong?.commit == signed)
        let unsigned = try repository.commit(["b.yaml": region("ams")])
        allowed.sshSigners = [try signer("anna")]
        request.verification = allowed
        let missing = await gitError { _ = try await engine.read(request) }
        #expect(missing?.code == .unverified)
        #expect(missing?.commit == unsigned)
        #expect(missing?.message.contains("no signature") == true)
    }

    @Test("an OpenPGP signature counts with a given key alone")
    func openPGP() async throws {
        guard executable("gpg") != nil else { return print("skipped: gpg is not installed") }
        let repository = try TestRepository()
        let home = "\(repository.directory)/keys"
        let made = shell(
            "mkdir -m 700 \(home) && gpg --homedir \(home) --batch --quiet --passphrase '' --quick-gen-key"
                + " anna@example.org ed25519 sign never && gpg --homedir \(home) --armor --export anna@example.org"
        )
        guard made.code == 0 else { return print("skipped: gpg makes no key here: \(made.output)") }
        let armour = try #require(made.output.range(of: "-----BEGIN")).lowerBound
        try DurableFile.write(
            Array("#!/bin/sh\nexec gpg --homedir \(home) \"$@\"\n".utf8),
            to: "\(repository.directory)/sign",
            mode: 0o755
        )
        let signing =
            "-c gpg.program=\(repository.directory)/sign -c user.signingkey=anna@example.org -c commit.gpgsign=true"
        let signed = try repository.commit(["a.yaml": region("fra")], options: signing)
        shellQuietly("gpgconf --homedir \(home) --kill all")
        let engine = try repository.engine()
        var request = repository.request()
        var allowed = GitVerification()
        allowed.gpgKeys = [String(made.output[armour...]) + "\n"]
        request.verification = allowed
        #expect(try await engine.read(request)?.commit.id == signed)
        allowed = GitVerification()
        allowed.sshSigners = [
            "eve@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000"
        ]
        request.verification = allowed
        #expect(await gitError { _ = try await engine.read(request) }?.code == .unverified)
    }
}

func shellQuietly(_ command: String) { _ = shell(command) }

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { self.firstRange(of: text) }
}
