// TestRepository: a repository that tests push to, and a registry in memory.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@testable import MeridianGit

/// A directory with a repository `origin` in it, removed with this value.
final class TestRepository {
    let directory: String
    var path: String { "\(directory)/origin" }
    var url: String { "file://\(path)" }

    init() throws {
        var template = Array("/tmp/meridian-git-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        directory = String(cString: made)
        try git("init --quiet --initial-branch main \(path)", in: directory)
    }

    deinit { removeTemporary(directory) }

    /// Writes files, removing those that are nil, and commits them.
    @discardableResult
    func commit(_ files: [String: String?], options: String = "") throws -> String {
        for (name, text) in files {
            let place = "\(path)/\(name)"
            guard let text else {
                unlink(place)
                continue
            }
            try DurableFile.createDirectory(DurableFile.directory(of: place))
            if text.hasPrefix("-> ") {
                unlink(place)
                try #require(symlink(String(text.dropFirst(3)), place) == 0)
            } else {
                // Not durable: a thousand waits for the disk would be most of a test.
                let file = try #require(fopen(place, "w"))
                fputs(text, file)
                fclose(file)
            }
        }
        try git("add --all")
        try git("\(options) commit --quiet --allow-empty --message 'change' ")
        return try git("rev-parse HEAD")
    }

    /// Runs git as a person would; answers what it prints.
    @discardableResult
    func git(_ words: String, in place: String? = nil) throws -> String {
        let identity = "-c user.name=Anna -c user.email=anna@example.org -c commit.gpgsign=false"
        let (code, output) = shell("cd \(place ?? path) && git \(identity) \(words)")
        try #require(code == 0, "git \(words): \(output)")
        return output
    }

    /// An engine with its own directory beside the repository.
    func engine(_ name: String = "engine", registry: TestRegistry = TestRegistry()) throws -> GitRepositories {
        try GitRepositories(root: "\(directory)/\(name)", registry: registry)
    }

    func request(
        _ selection: GitSelection = .ref("main"),
        path: String = ".",
        url: String? = nil,
        timeout: Duration = .seconds(20)
    ) -> GitReadRequest {
        GitReadRequest(remote: GitRemote(url: url ?? self.url, timeout: timeout), selection: selection, path: path)
    }
}

/// Runs a command and answers its code and output without a newline at the end.
func shell(_ command: String) -> (code: Int32, output: String) {
    guard let pipe = popen("(\(command)) 2>&1", "r") else { return (-1, "") }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = fread(&buffer, 1, buffer.count, pipe)
        if count == 0 { break }
        output += buffer[..<count]
    }
    let status = pclose(pipe)
    while output.last == 0x0A { output.removeLast() }
    return (status >> 8 & 0xFF, String(decoding: output, as: UTF8.self))
}

/// Blobs in memory.
final class TestRegistry: RegistryPort {
    private let blobs = Mutex<[Digest: [UInt8]]>([:])

    var digests: Set<Digest> { blobs.withLock { Set($0.keys) } }

    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest {
        let digest = Digest.of(bytes)
        blobs.withLock { $0[digest] = bytes }
        return digest
    }

    func put(file path: String) async throws(RegistryError) -> Digest {
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, atMost: 200 << 20) } catch {
            throw RegistryError(.unavailable, "\(error)")
        }
        return try await put(bytes)
    }

    func contains(_ digest: Digest) async -> Bool { blobs.withLock { $0[digest] != nil } }

    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] {
        guard let bytes = blobs.withLock({ $0[digest] }) else { throw RegistryError(.notFound, "not here") }
        return bytes
    }

    func file(_ digest: Digest) async throws(RegistryError) -> String { throw RegistryError(.notFound, "no files") }
    func list() async throws(RegistryError) -> [Digest] { digests.sorted() }
    func delete(_ digests: [Digest]) async throws(RegistryError) {
        blobs.withLock { blobs in for digest in digests { blobs[digest] = nil } }
    }
}

/// The text of an App with a source directory.
func app(_ name: String, source: String = "./src", extra: String = "") -> String {
    """
    apiVersion: meridian.dev/v1
    kind: App
    metadata: {name: \(name)}
    spec:
      source: {path: \(source)}
      \(extra)

    """
}

/// The text of a Region.
func region(_ name: String, latitude: Int = 1) -> String {
    """
    apiVersion: meridian.dev/v1
    kind: Region
    metadata: {name: \(name)}
    spec: {location: {latitude: \(latitude), longitude: 2}}

    """
}

/// The error that `body` throws.
func gitError(_ body: () async throws -> Void) async -> GitError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? GitError
    }
}
