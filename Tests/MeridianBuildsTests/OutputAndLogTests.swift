// OutputAndLogTests: output is cut into safe lines, logs are bounded, homes stay hidden, the cache's key is right.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts
internal import Testing

@testable internal import MeridianBuilds

@Suite("Output, logs and keys of builds")
struct OutputAndLogTests {
    @Test("lines are split at newlines, wherever the chunks end")
    func lines() {
        #expect(lines(of: ["ab", "c\nde", "\n\nf"]) == ["abc", "de", "", "f"])
    }

    @Test("escape sequences and control characters are removed")
    func printable() {
        #expect(lines(of: ["\u{1B}[31mred\u{1B}[0m\ttab\r\u{7}\n"]) == ["red\ttab"])
    }

    @Test("a line without end is cut, and an endless output is counted")
    func bounds() {
        let long = lines(of: [String(repeating: "x", count: 10_000), "\n"])
        #expect(long == [String(repeating: "x", count: OutputLines.lineLengthMax) + "…"])
        let many = lines(of: [String(repeating: "y\n", count: OutputLines.lineCountMax + 7)])
        #expect(many.count == OutputLines.lineCountMax + 1)
        #expect(many.last == "… 7 more lines were not kept")
    }

    @Test("a log is read back line by line, and does not grow beyond its bound")
    func logs() throws {
        let directory = try temporaryDirectory()
        defer { try? DurableFile.remove(directory) }
        let logs = BuildLogs(logs: directory)
        #expect(try logs.read("default/app-00001") == nil)
        let log = try logs.start("default/app-00001")
        log.write(.stageStarted(.build))
        log.write(.output(.build, "compiling"))
        #expect(
            try logs.read("default/app-00001")?.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
                == ["build — started", "build compiling"]
        )
        #expect(try logs.read("default/app-00001", last: 1)?.count == 1)
        let line = String(repeating: "z", count: 4000)
        for _ in 0..<1000 { log.write(.output(.build, line)) }
        #expect(try logs.read("default/app-00001")?.last?.hasSuffix("the rest of this log was not kept") == true)
    }

    @Test("a log outside the directory is refused", arguments: ["../x", "a/../b", "a", "a/b/c", "/a", "a/", "a/.."])
    func logNames(revision: String) throws {
        let directory = try temporaryDirectory()
        defer { try? DurableFile.remove(directory) }
        #expect(try BuildLogs(logs: directory).read(revision) == nil)
        #expect(throws: ContentError.self) { try BuildLogs(logs: directory).start(revision) }
    }

    @Test("homes and data are hidden; toolchains inside homes are shown, keys beside them are not")
    func visibility() throws {
        let directory = try temporaryDirectory()
        defer { try? DurableFile.remove(directory) }
        let home = "\(directory)/home"
        for place in [".cargo/bin", ".rustup", ".ssh", "dart-sdk/bin"] {
            try DurableFile.createDirectory("\(home)/\(place)")
        }
        try DurableFile.createDirectory("\(directory)/data/bin")
        try DurableFile.write([], to: "\(home)/dart-sdk/bin/dart", mode: 0o755)
        let visibility = Visibility(
            home: home,
            data: ["\(directory)/data"],
            search: ["\(home)/.cargo/bin", "\(directory)/data/bin"],
            programs: ["\(home)/dart-sdk/bin/dart"]
        )
        #expect(visibility.shows("\(home)/.cargo/bin/cargo"))
        #expect(visibility.shows("\(home)/.rustup/toolchains"))
        #expect(visibility.shows("\(home)/dart-sdk/lib/core.dill"))
        #expect(!visibility.shows("\(home)/.cargo/credentials.toml"))
        #expect(!visibility.shows("\(home)/.ssh/id_ed25519"))
        #expect(!visibility.shows("\(directory)/data/bin/x"))
        #expect(visibility.shows("/usr/lib"))
        #expect(!visibility.shows("/root/.bashrc") || access("/root", F_OK) != 0)
    }

    @Test("the cache's key depends on what changes the result, and on nothing else")
    func key() throws {
        let source = Digest.of([1])
        var settings = BuildSettings()
        let key = { (settings: BuildSettings, toolchain: String) in
            BuildIndex.key(source: source, settings: settings, preset: .go, toolchain: toolchain)
        }
        let base = key(settings, "go 1")
        settings.timeout = .seconds(1)
        settings.memory = .mebibytes(100)
        settings.portCheck.timeout = .seconds(1)
        #expect(key(settings, "go 1") == base)
        #expect(key(settings, "go 2") != base)
        settings.env = ["A": "1"]
        #expect(key(settings, "go 1") != base)
    }

    private func lines(of chunks: [String]) -> [String] {
        var lines: [String] = []
        var output = OutputLines { lines.append($0) }
        for chunk in chunks { output.append(Array(chunk.utf8)) }
        output.finish()
        return lines
    }
}
