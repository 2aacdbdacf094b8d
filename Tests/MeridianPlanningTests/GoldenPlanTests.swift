// GoldenPlanTests: plans as people read them, one file per world.
import Glibc
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Golden plans")
struct GoldenPlanTests {
    /// A world by the name of its golden file.
    struct Golden: Sendable, CustomTestStringConvertible {
        let name: String
        let scene: @Sendable () -> Scene

        var testDescription: String { name }
    }

    static let goldens: [Golden] = [
        Golden(name: "new-app") {
            var scene = Scene()
            scene.app("hello")
            return scene
        },
        Golden(name: "source-missing") {
            var scene = Scene()
            scene.app("hello") { $0.spec.source.digest = nil }
            return scene
        },
        Golden(name: "revision-to-build") {
            var scene = Scene()
            scene.app("hello")
            scene.revision("hello", 1, .new)
            return scene
        },
        Golden(name: "revision-to-check") {
            var scene = Scene()
            scene.app("hello")
            scene.revision("hello", 1, .built)
            return scene
        },
        Golden(name: "first-revision-ready") {
            var scene = Scene()
            scene.app("hello")
            scene.revision("hello", 1, .ready)
            return scene
        },
        Golden(name: "build-failed-keeps-serving") {
            var scene = Scene()
            scene.app("hello")
            scene.revision("hello", 1, .ready)
            scene.serving("hello", 1)
            scene.settle()
            scene.app("hello", source: 2)
            scene.revision("hello", 2, .failed, source: 2)
            return scene
        },
        Golden(name: "rollout-prepares-runners") {
            var scene = rolledOut(min: 2)
            scene.app("hello", source: 2, min: 2)
            scene.revision("hello", 2, .ready, source: 2)
            return scene
        },
        Golden(name: "rollout-takes-over") {
            var scene = rolledOut(min: 2)
            scene.app("hello", source: 2, min: 2)
            scene.revision("hello", 2, .ready, source: 2)
            scene.runners([("hello-00001", 2), ("hello-00002", 2)])
            return scene
        },
        Golden(name: "transient-failure-waits") {
            var scene = Scene()
            scene.app("hello")
            scene.revision("hello", 1, .new)
            let key = ObjectKey(kind: "Revision", namespace: "default", name: "hello-00001")
            scene.world.activities[key] = .ended(
                .buildFailed(BuildFailure(reason: "Unavailable", message: "stage source: disk full", isTransient: true))
            )
            scene.carryOut(scene.plan.steps[0].step)
            return scene
        },
        Golden(name: "app-being-deleted") {
            var scene = rolledOut(min: 1)
            scene.edit("hello") { $0.metadata.deletionTimestamp = Scene.start }
            return scene
        },
        Golden(name: "splits-share-a-host") {
            var scene = rolledOut(min: 0)
            scene.split(
                "young",
                of: "hello",
                hosts: ["shop.localhost"],
                [SplitBackend(revision: "latest", weight: 100)],
                age: 5
            )
            scene.split(
                "old",
                of: "hello",
                hosts: ["shop.localhost"],
                [SplitBackend(revision: "latest", weight: 90), SplitBackend(revision: "hello-00009", weight: 10)],
                age: 9
            )
            return scene
        },
        Golden(name: "split-with-rules") {
            var scene = rolledOut(min: 0)
            scene.split("shop", of: "hello", hosts: ["shop.localhost"], [SplitBackend(revision: "latest", weight: 100)])
            {
                var beta = RequestMatch()
                beta.headers = [ValueMatch("x-beta", exact: "yes")]
                var abroad = RequestMatch()
                abroad.region = "atlantis"
                $0.rules = [
                    SplitRule([beta], [SplitBackend(revision: "hello-00001", weight: 100)]),
                    SplitRule([abroad], [SplitBackend(app: "ghost", weight: 100)]),
                ]
                $0.mirror = SplitBackend(app: "shadow", weight: 5)
            }
            return scene
        },
        Golden(name: "node-does-not-answer") {
            var scene = rolledOut(min: 1)
            scene.app("hello", source: 2, min: 1)
            scene.revision("hello", 2, .ready, source: 2)
            scene.silence()
            return scene
        },
        Golden(name: "app-cannot-be-read") {
            var scene = rolledOut(min: 1)
            scene.world.apps.remove("default/hello")
            scene.world.unreadable = [ObjectKey(kind: "App", namespace: "default", name: "hello")]
            scene.app("other")
            return scene
        },
        Golden(name: "nothing-to-do") { rolledOut(min: 1) },
    ]

    /// An app that serves its first revision and is at rest.
    private static func rolledOut(min: Int) -> Scene {
        var scene = Scene()
        scene.app("hello", min: min)
        scene.settle()
        return scene
    }

    @Test("the plan of each world is the one on file", arguments: goldens)
    func planIsAsOnFile(golden: Golden) throws {
        let text = golden.scene().plan.text
        let path = try Self.directory() + "/\(golden.name).txt"
        if getenv("MERIDIAN_WRITE_GOLDENS") != nil { try Self.write(text, to: path) }
        #expect(try Self.read(path) == text)
    }

    private struct FileFault: Error {
        let path: String
        let number: Int32
    }

    private static func directory() throws -> String {
        guard let resolved = realpath(#filePath, nil) else { throw FileFault(path: #filePath, number: errno) }
        defer { free(resolved) }
        let file = String(cString: resolved)
        return file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/Goldens"
    }

    private static func read(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw FileFault(path: path, number: errno) }
        defer { fclose(file) }
        // Plans of one app have a dozen lines.
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw FileFault(path: path, number: errno) }
        defer { fclose(file) }
        fputs(text, file)
    }
}
