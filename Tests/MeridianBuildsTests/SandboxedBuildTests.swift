// SandboxedBuildTests: real builds through the real sandbox.
internal import Glibc
internal import MeridianBuilds
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts
internal import Testing

/// A program that does nothing and ends well.
private let emptyProgram = "int main(void) { return 0; }\n"

@Suite("Builds in the sandbox", .enabled(if: canBuild), .serialized)
struct SandboxedBuildTests {
    @Test("a C source becomes a bundle with its program", .enabled(if: has("cc")))
    func c() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["main.c": emptyProgram, "static/index.html": "<p>hi"])
        let (outcome, output) = try await fixture.build(source) { $0.assets = ["static"] }
        #expect(outcome.preset == .c)
        #expect(outcome.executable == "server")
        #expect(!outcome.cached)
        #expect(outcome.stages.map(\.name) == ["source", "dependencies", "build", "check", "register"])
        #expect(output.contains { $0.hasPrefix("$ cc -O2") })
        let place = try await fixture.unpack(outcome.bundle)
        #expect(access("\(place)/server", X_OK) == 0)
        #expect(try DurableFile.read("\(place)/static/index.html") == Array("<p>hi".utf8))
        #expect(try fixture.builder.logs.read("default/app-00001")?.contains { $0.contains("$ cc -O2") } == true)
        #expect(access("\(fixture.directory)/builds/work/\(source.short)", F_OK) != 0)
    }

    @Test(
        "the same source and settings come from the cache; `useCache: false` builds, with equal bytes",
        .enabled(if: has("cc"))
    )
    func cache() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["main.c": emptyProgram])
        let first = try await fixture.build(source).outcome
        let second = try await fixture.build(source) { $0.timeout = .seconds(500) }.outcome
        #expect(second.cached)
        #expect(second.bundle == first.bundle)
        #expect(second.executable == first.executable)
        let third = try await fixture.build(source, useCache: false).outcome
        #expect(!third.cached)
        #expect(third.bundle == first.bundle)
        try await fixture.registry.delete([first.bundle])
        #expect(try await !fixture.build(source).outcome.cached)
    }

    @Test("a failed build is not remembered", .enabled(if: has("cc")))
    func failuresAreNotCached() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["main.c": "int main(void) { return x; }\n"])
        for _ in 0..<2 {
            let error = try #require(await fixture.failure(of: source))
            #expect(error.reason == "CommandFailed")
            #expect(error.stage == .build)
            #expect(error.message.contains("main.c:1:"))
            #expect(error.message.contains("exited with code 1"))
            #expect(!error.output.isEmpty && error.output.count <= 40)
        }
    }

    @Test("the example apps build", .enabled(if: has("cc")), arguments: ["examples/hello-c", "toolchains/hello-make"])
    func examples(path: String) async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(directory: "\(try #require(manifestsDirectory))/\(path)")
        #expect(try await fixture.build(source).outcome.preset == .c)
    }

    @Test("the broken examples build; what is wrong with them shows only when they run", .enabled(if: has("cc")))
    func brokenExamples() async throws {
        let fixture = try BuildFixture()
        for name in ["localhost-only", "never-listens", "exits-3", "wrong-port"] {
            let source = try await fixture.source(directory: "\(try #require(manifestsDirectory))/broken/\(name)")
            #expect(try await fixture.build(source).outcome.preset == .c)
        }
    }

    @Test("a Swift package becomes a program that needs no Swift in the runner", .enabled(if: has("swift")))
    func swiftPackage() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(directory: "\(try #require(manifestsDirectory))/examples/hello-swift")
        let outcome = try await fixture.build(source).outcome
        #expect(outcome.preset == .swift)
        #expect(outcome.executable == "hello-swift")
        let program = try DurableFile.read("\(try await fixture.unpack(outcome.bundle))/hello-swift", atMost: 1 << 28)
        let elf = try #require(try ELFFile.parse(ELFBytes(program)))
        #expect(!elf.needed.contains { $0.hasPrefix("libswift") })
    }

    @Test("a Go module builds", .enabled(if: has("go")))
    func goModule() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(directory: "\(try #require(manifestsDirectory))/toolchains/hello-go")
        #expect(try await fixture.build(source).outcome.executable == "server")
    }

    @Test("a Rust crate builds with a toolchain in a hidden home", .enabled(if: has("cargo")))
    func rustCrate() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(directory: "\(try #require(manifestsDirectory))/toolchains/hello-rust")
        #expect(try await fixture.build(source).outcome.executable == "hello-rust")
    }

    @Test("libraries that runners lack are collected, with what they need in turn", .enabled(if: has("cc")))
    func libraries() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source([
            "a.c": "int b(void); int a(void) { return b(); }", "b.c": "int b(void) { return 0; }",
            "main.c": "int a(void); int main(void) { return a(); }",
        ])
        let command =
            "mkdir out && cc -shared -fPIC -o out/libb.so b.c && cc -shared -fPIC -o out/liba.so a.c -Lout -lb "
            + "-Wl,-rpath,'$ORIGIN' && cc -o app main.c -Lout -la -Wl,-rpath,'$ORIGIN/out' -Wl,-rpath-link,out"
        let outcome = try await fixture.build(source) {
            $0.preset = .command
            $0.command = command
            $0.output = "app"
        }.outcome
        let place = try await fixture.unpack(outcome.bundle)
        #expect(try DurableFile.names(in: "\(place)/lib") == ["liba.so", "libb.so"])
        let error = try #require(
            await fixture.failure(of: source) {
                $0.preset = .command
                $0.command = command + " && rm out/libb.so"
                $0.output = "app"
            }
        )
        #expect(error.reason == "LibraryMissing")
        #expect(error.message.contains("lib/liba.so needs the shared library libb.so"))
    }

    @Test(
        "a program or library for another processor is refused by path and processor",
        arguments: [("server", ["server"]), ("data/libffi.so", ["data"])]
    )
    func wrongArchitecture(path: String, assets: [String]) async throws {
        let fixture = try BuildFixture()
        var files = ["server": try DurableFile.read("/bin/true")]
        files[path] = elfHeader(machine: 183, type: path == "server" ? 2 : 3)
        let source = try await fixture.source(files)
        let error = try #require(
            await fixture.failure(of: source) { if path != "server" { $0.assets = assets } }
        )
        #expect(error.reason == "WrongArchitecture")
        #expect(error.stage == .check)
        #expect(error.message.contains("\(path) is built for aarch64 (arm64)"))
    }

    @Test("a build without a program says so, and a script is called a script")
    func noExecutable() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["run.sh": "#!/bin/sh\n"])
        let nothing = await fixture.failure(of: source) { $0.command = "true" }
        #expect(nothing?.reason == "NoExecutable")
        #expect(nothing?.message.contains("spec.build.output") == true)
        let script = await fixture.failure(of: source) {
            $0.command = "true"
            $0.output = "run.sh"
        }
        #expect(script?.reason == "NoExecutable")
        #expect(script?.message.contains("run.sh is a script") == true)
    }

    @Test("an output that links out of the source is refused")
    func escapingOutput() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["README": "x"])
        let error = await fixture.failure(of: source) {
            $0.command = "ln -s /bin/true server"
            $0.output = "server"
        }
        #expect(error?.reason == "NoExecutable")
    }

    @Test("a build that takes too long is stopped, with its stage and limit")
    func timeout() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["README": "x"])
        let error = try #require(
            await fixture.failure(of: source) {
                $0.command = "echo begun; sleep 300 & wait"
                $0.timeout = .seconds(1)
            }
        )
        #expect(error.reason == "TimedOut")
        #expect(error.stage == .build)
        #expect(error.message.contains("longer than 1s"))
        #expect(error.output == ["begun"])
    }

    @Test("a build that needs too much memory is stopped, with its limit", .enabled(if: hasMemoryController))
    func outOfMemory() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["README": "x"])
        let error = try #require(
            await fixture.failure(of: source) {
                $0.command = "dd if=/dev/zero of=/tmp/fill bs=1M count=300"
                $0.memory = .mebibytes(64)
            }
        )
        #expect(error.reason == "OutOfMemory")
        #expect(error.message.contains("64Mi"))
    }

    @Test("the build stage has no network unless the settings say so")
    func network() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["README": "x"])
        // A network namespace of its own has no interface but lo. The commands fail, so that their output is in the error.
        let interfaces = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort | tr '\\n' ' '; false"
        let alone = try #require(await fixture.failure(of: source) { $0.command = interfaces })
        #expect(alone.output.first == "lo ")
        let hostInterfaces = try DurableFile.read("/proc/net/dev").split(separator: UInt8(ascii: "\n")).count - 2
        let shared = try #require(
            await fixture.failure(of: source) {
                $0.command = interfaces
                $0.network = true
            }
        )
        #expect(shared.output.first?.split(separator: " ").count == hostInterfaces)
    }

    @Test("a build sees neither homes nor data, is nobody, and cannot write outside")
    func isolation() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["README": "x"])
        let error = try #require(
            await fixture.failure(of: source) {
                $0.command =
                    "id -u; ls -A /root/.ssh /root/.gitconfig \(fixture.directory)/registry 2>/dev/null; "
                    + "touch /usr/x /etc/x \(fixture.directory)/x 2>/dev/null && echo wrote; "
                    + "echo $GLOBE $GLOBE_BUILD_ENV; touch $HOME/fine && echo home; false"
            }
        )
        #expect(error.output == ["65533", "1 1", "home"])
    }

    @Test("cancelling ends every process of the build and removes its directory")
    func cancellation() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["README": "x"])
        var settings = BuildSettings()
        // A number of seconds that no other process sleeps for.
        settings.command = "(setsid sleep 98765 &); echo begun; sleep 98765"
        let request = BuildRequest(revision: "default/app-00001", source: source, settings: settings)
        let seen = Seen()
        let task = Task { try await fixture.builder.build(request) { seen.add($0) } }
        await until { seen.output.contains("begun") }
        #expect(isRunning("98765"))
        task.cancel()
        let error = await #expect(throws: BuildError.self) { try await task.value }
        #expect(error?.reason == "Cancelled")
        #expect(!isRunning("98765"))
        #expect(access("\(fixture.directory)/builds/work/\(source.short)", F_OK) != 0)
    }

    @Test("a missing toolchain fails the source stage")
    func missingToolchain() async throws {
        let fixture = try BuildFixture(search: "/nonexistent")
        let source = try await fixture.source(["go.mod": "module x\n", "main.go": "package main\n"])
        let error = try #require(await fixture.failure(of: source))
        #expect(error.reason == "ToolchainMissing")
        #expect(error.stage == .source)
    }

    @Test("equal requests at the same time run one build and get one bundle", .enabled(if: has("cc")))
    func sharedBuild() async throws {
        let fixture = try BuildFixture()
        let source = try await fixture.source(["main.c": emptyProgram])
        async let first = fixture.build(source, revision: "default/a-00001", useCache: false)
        async let second = fixture.build(source, revision: "default/b-00001", useCache: false)
        let (one, two) = try await (first.outcome, second.outcome)
        #expect(one.bundle == two.bundle)
        #expect(try fixture.builder.logs.read("default/a-00001") != nil)
        #expect(try fixture.builder.logs.read("default/b-00001") != nil)
    }
}

/// Whether some process has `word` as an argument.
private func isRunning(_ word: String) -> Bool {
    guard let names = try? DurableFile.names(in: "/proc") else { return false }
    return names.contains { name in
        guard name.allSatisfy(\.isNumber), let bytes = try? DurableFile.read("/proc/\(name)/cmdline") else {
            return false
        }
        return bytes.split(separator: 0).contains { Array($0) == Array(word.utf8) }
    }
}

/// Whether there is a memory controller to limit builds with; where not, that is printed.
private let hasMemoryController: Bool = {
    let isThere =
        access("/sys/fs/cgroup/memory/memory.limit_in_bytes", W_OK) == 0
        || access("/sys/fs/cgroup/memory.max", F_OK) == 0
        || (try? DurableFile.read("/sys/fs/cgroup/cgroup.controllers")).map {
            String(decoding: $0, as: UTF8.self).contains("memory")
        } ?? false
    if !isThere { print("skipped: this machine has no memory cgroup controller") }
    return isThere
}()
