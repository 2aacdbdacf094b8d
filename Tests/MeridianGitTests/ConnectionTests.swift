// ConnectionTests: the network between: cut connections, passwords, redirects, deadlines, cancelled work.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianGit

@Suite("A repository behind a network", .enabled(if: HTTPServer.isAvailable, "python3 or git http-backend is missing"))
struct ConnectionTests {
    @Test("a connection that is cut in the middle is an error; the next look reads all")
    func cut() async throws {
        let repository = try TestRepository()
        var files: [String: String?] = ["a.yaml": region("fra")]
        for number in 0..<200 { files["data/\(number)"] = String(repeating: "\(number * 7919) ", count: 200) }
        let commit = try repository.commit(files)
        let server = try HTTPServer(serving: repository.directory)
        let engine = try repository.engine()
        for _ in 0..<3 {
            let request = repository.request(url: "\(server.url)/cut/origin")
            let error = await gitError { _ = try await engine.read(request) }
            #expect(error?.code == .fetchFailed, "\(error?.message ?? "no error")")
        }
        #expect(try await engine.read(repository.request(url: "\(server.url)/ok/origin"))?.commit.id == commit)
    }

    @Test("a mirror that was damaged is made anew")
    func damaged() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        let engine = try repository.engine()
        _ = try await engine.read(repository.request())
        let mirrors = "\(repository.directory)/engine/mirrors"
        shellQuietly(
            "rm -rf \(mirrors)/*/objects/pack \(mirrors)/*/objects/??; touch $(echo \(mirrors)/*)/shallow.lock"
        )
        try repository.commit(["b.yaml": region("ams")])
        #expect(try await engine.read(repository.request())?.objects.count == 2)
    }

    @Test("a mirror that lacks single files is an error once, and whole at the next look")
    func holes() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        let engine = try repository.engine()
        _ = try await engine.read(repository.request())
        let mirror = shell("echo \(repository.directory)/engine/mirrors/*").output
        shellQuietly("cd \(mirror) && mv objects/pack/*.pack p && git unpack-objects -q < p; rm -f objects/pack/*")
        let blob = try repository.git("rev-parse HEAD:a.yaml")
        shellQuietly("rm -f \(mirror)/objects/\(blob.prefix(2))/\(blob.dropFirst(2))")
        let error = await gitError { _ = try await engine.read(repository.request()) }
        #expect(error?.code == .damaged, "\(error?.message ?? "no error")")
        #expect(try await engine.read(repository.request())?.objects.count == 1)
    }

    @Test("a password is taken from the credentials, and appears in no argument, file or message")
    func password() async throws {
        let repository = try TestRepository()
        let commit = try repository.commit(["a.yaml": region("fra")])
        let server = try HTTPServer(serving: repository.directory)
        let engine = try repository.engine()
        var request = repository.request(url: "\(server.url)/auth/origin")
        let without = await gitError { _ = try await engine.read(request) }
        #expect(without?.code == .unauthorized, "\(without?.message ?? "no error")")
        request.remote.credentials = GitCredentials(username: HTTPServer.username, password: "wrong s3cret")
        let wrong = await gitError { _ = try await engine.read(request) }
        #expect(wrong?.code == .unauthorized)
        #expect(wrong?.message.contains("s3cret") == false)
        request.remote.credentials = GitCredentials(username: HTTPServer.username, password: HTTPServer.password)
        #expect(try await engine.read(request)?.commit.id == commit)
        #expect(shell("grep -r s3cret \(repository.directory)/engine").code == 1)
    }

    @Test("a redirect is not followed, since credentials would go with it")
    func redirect() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        let server = try HTTPServer(serving: repository.directory)
        let request = repository.request(url: "\(server.url)/away/origin")
        let engine = try repository.engine()
        #expect(await gitError { _ = try await engine.read(request) }?.code == .fetchFailed)
    }

    @Test("a host that never answers ends at the deadline; cancelled work ends at once; no process is left")
    func deadline() async throws {
        let repository = try TestRepository()
        try repository.commit(["a.yaml": region("fra")])
        let server = try HTTPServer(serving: repository.directory)
        let engine = try repository.engine()
        let request = repository.request(url: "\(server.url)/hang/origin", timeout: .seconds(1))
        let start = ContinuousClock.now
        let error = await gitError { _ = try await engine.read(request) }
        #expect(error?.code == .fetchFailed)
        #expect(error?.message.contains("timeout") == true)
        #expect(ContinuousClock.now - start < .seconds(15))
        var patient = request
        patient.remote.timeout = .seconds(300)
        let work = Task { [patient] in await gitError { _ = try await engine.read(patient) } }
        work.cancel()
        #expect(await work.value != nil)
        #expect(shell("pgrep -f '127.0.0.1:\(server.url.split(separator: ":").last ?? "")/han[g]'").output.isEmpty)
    }

    @Test("ssh without a key and known hosts is refused with the next step")
    func ssh() async throws {
        let repository = try TestRepository()
        let engine = try repository.engine()
        let error = await gitError { _ = try await engine.read(repository.request(url: "ssh://git@127.0.0.1:1/x.git")) }
        #expect(error?.code == .unauthorized)
        #expect(error?.message.contains("known_hosts") == true)
    }
}
