// ReadingTests: what a commit's files say: objects, problems by line, sources, links, overlays.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianGit

@Suite("Reading a commit")
struct ReadingTests {
    @Test("a broken file is a problem with file, line and column; the other files are read")
    func brokenFile() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "deploy/a.yaml": region("fra"),
            "deploy/b.yaml": "apiVersion: meridian.dev/v1\nkind: Region\nmetadata: {name: [\n",
            "deploy/c.yaml": region("ams", latitude: 91),
        ])
        let reading = try #require(try await repository.engine().read(repository.request(path: "deploy")))
        #expect(reading.objects.map(\.key.name) == ["fra"])
        #expect(reading.problems.map(\.file) == ["deploy/b.yaml", "deploy/c.yaml"])
        #expect(reading.problems.last?.line == 4)
        #expect(reading.problems.last?.message.contains("spec.location.latitude") == true)
    }

    @Test("a path that the commit does not have is an error, not an empty set")
    func missingPath() async throws {
        let repository = try TestRepository()
        let commit = try repository.commit(["a.yaml": region("fra")])
        let engine = try repository.engine()
        let error = await gitError { _ = try await engine.read(repository.request(path: "deploy")) }
        #expect(error?.code == .pathMissing)
        #expect(error?.commit == commit)
    }

    @Test("an app's source is packed to the digest that the command line gives the same files")
    func sourceDigest() async throws {
        let repository = try TestRepository()
        try repository.commit([
            ".gitignore": "*.log\n/deploy/shop/src/out/\n", "deploy/shop/app.yaml": app("shop"),
            "deploy/shop/src/main.c": "int main() {}\n", "deploy/shop/src/lib/a.c": "x", "deploy/shop/src/empty": "",
            "deploy/shop/src/link": "-> lib/a.c", "deploy/shop/src/.gitignore": "!keep.log\nlib/b.c\n",
        ])
        shellQuietly("cd \(repository.path)/deploy/shop/src && chmod +x main.c && echo x > a.log && echo y > keep.log")
        shellQuietly(
            "cd \(repository.path)/deploy/shop/src && echo SECRET=1 > .env && echo z > lib/b.c && mkdir out && echo o > out/o"
        )
        // Tracked although ignored, as a careless person does.
        try repository.git("add --all --force")
        try repository.commit([:])
        let registry = TestRegistry()
        let reading = try #require(try await repository.engine(registry: registry).read(repository.request()))
        #expect(reading.problems == [])
        let digest = try #require(reading.objects.first?.config["spec"]?["source"]?["digest"]?.string)
        let packed = try SourcePacking.pack(
            "\(repository.path)/deploy/shop/src",
            to: "\(repository.directory)/source.tar"
        )
        #expect(digest == packed.digest.description)
        #expect(registry.digests == [packed.digest])
    }

    @Test("a push that changes a source changes the digest of its app alone")
    func changedSource() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "one/app.yaml": app("one"), "one/src/main.c": "1", "two/app.yaml": app("two"), "two/src/main.c": "2",
        ])
        let engine = try repository.engine()
        let before = try #require(try await engine.read(repository.request()))
        try repository.commit(["two/src/main.c": "3"])
        let after = try #require(try await engine.read(repository.request()))
        #expect(before.objects.map(\.key.name) == ["one", "two"])
        #expect(before.objects[0].digest == after.objects[0].digest)
        #expect(before.objects[1].digest != after.objects[1].digest)
    }

    @Test("a source outside the repository, a missing one and a link that leaves it are problems at their lines")
    func wrongSources() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "a/app.yaml": app("a", source: "../../etc"), "b/app.yaml": app("b", source: "./gone"),
            "c/app.yaml": app("c"), "c/src/link": "-> ../../../etc/passwd", "d/app.yaml": app("d"), "d/src/main.c": "x",
        ])
        let reading = try #require(try await repository.engine().read(repository.request()))
        #expect(reading.objects.map(\.key.name) == ["d"])
        #expect(reading.problems.map(\.file) == ["a/app.yaml", "b/app.yaml", "c/app.yaml"])
        #expect(reading.problems.allSatisfy { $0.line == 5 })
    }

    @Test("manifests inside an app's source are not read, those beside the app are")
    func manifestsInSource() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "app.yaml": app("shop", source: "./shop"), "shop/main.c": "x", "shop/other.yaml": "not: a manifest\n",
            "regions/r.yaml": region("fra"), ".github/ci.yaml": "on: push\n",
        ])
        let reading = try #require(try await repository.engine().read(repository.request()))
        #expect(reading.problems == [])
        #expect(reading.objects.map(\.key.name).sorted() == ["fra", "shop"])
    }

    @Test("a linked manifest is read inside the repository and refused outside")
    func linkedManifests() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "base/r.yaml": region("fra"), "deploy/r.yaml": "-> ../base/r.yaml",
            "deploy/x.yaml": "-> ../../../etc/passwd",
            "deploy/y.yaml": "-> /etc/passwd", "deploy/z.yaml": "-> z.yaml",
        ])
        let reading = try #require(try await repository.engine().read(repository.request(path: "deploy")))
        #expect(reading.objects.map(\.file) == ["deploy/r.yaml"])
        #expect(reading.problems.map(\.file) == ["deploy/x.yaml", "deploy/y.yaml", "deploy/z.yaml"])
    }

    @Test("an object declared twice is in no reading; a namespace that is not allowed is a problem")
    func twinsAndNamespaces() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "a.yaml": region("fra"), "b.yaml": region("fra"), "c/app.yaml": app("shop"), "c/src/main.c": "x",
        ])
        let engine = try repository.engine()
        let reading = try #require(try await engine.read(repository.request()))
        #expect(reading.problems.contains { $0.message.contains("declared twice") })
        var request = repository.request()
        request.rules.namespaces = ["team"]
        let strict = try #require(try await engine.read(request))
        #expect(strict.objects == [])
        #expect(strict.problems.contains { $0.file == "c/app.yaml" && $0.message.contains("spec.namespaces") })
        request.rules.namespaces = ["default"]
        #expect(try await engine.read(request)?.objects.map(\.key.name) == ["shop"])
    }

    @Test("a Secret's digest tells nothing of its values")
    func secretDigest() async throws {
        let text = "apiVersion: meridian.dev/v1\nkind: Secret\nmetadata: {name: db}\nstringData: {PASSWORD: "
        let one = try TestRepository()
        let two = try TestRepository()
        for (repository, value) in [(one, "a"), (two, "b")] {
            try repository.commit(["s.yaml": text + "\(value)}\n"])
        }
        let reading = try #require(try await one.engine().read(one.request()))
        #expect(reading.objects.count == 1)
        let guess = Digest.of(Array((reading.objects[0].config).text().utf8)).hex
        #expect(reading.objects[0].digest != guess)
    }

    @Test("an overlay without its tool is an error that names it; with it, it is built")
    func overlay() async throws {
        let repository = try TestRepository()
        try repository.commit([
            "base/kustomization.yaml": "resources: [r.yaml]\n", "base/r.yaml": region("fra"),
            "over/kustomization.yaml": "resources: [../base]\nnamePrefix: eu-\n",
        ])
        let engine = try repository.engine()
        if executable("kustomize") == nil, executable("kubectl") == nil {
            let error = await gitError { _ = try await engine.read(repository.request(path: "over")) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("kustomize is not installed") == true)
            print("skipped: kustomize is not installed, so no overlay is built")
            return
        }
        let reading = try #require(try await engine.read(repository.request(path: "over")))
        #expect(reading.objects.map(\.key.name) == ["eu-fra"])
    }

    @Test("a thousand manifests are fetched and read within a second")
    func thousand() async throws {
        let repository = try TestRepository()
        var files: [String: String?] = [:]
        for number in 0..<1000 { files["r/\(number).yaml"] = region("r\(number)") }
        try repository.commit(files)
        let engine = try repository.engine()
        let start = ContinuousClock.now
        let reading = try #require(try await engine.read(repository.request()))
        let elapsed = ContinuousClock.now - start
        print("a thousand manifests: \(elapsed)")
        #expect(reading.objects.count == 1000)
        // A debug build on a busy machine; the figure above is the one to look at.
        #expect(elapsed < .seconds(20))
    }
}
