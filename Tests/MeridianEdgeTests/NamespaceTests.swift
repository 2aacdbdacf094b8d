// NamespaceTests: runners that are reached inside network namespaces of their own.
import Glibc
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Network namespaces")
    struct Namespaces {
        @Test("two runners on the same port are told apart by their namespace, and the edge stays in its own")
        func samePort() async throws {
            let first = try await blocking { try namespacedBackend(answering: "one") }
            let second = try await blocking { try namespacedBackend(answering: "two") }
            guard let first, let second else {
                print("skipped: network namespaces cannot be made here (root and the ip program are needed)")
                return
            }
            defer { for namespace in [first.namespace, second.namespace] { close(namespace) } }
            let outside = try TestBackend(answering: { _ in ok("outside") })
            let stand = try await EdgeStand(outside, hasRunner: false)
            for (name, place) in [("one", first), ("two", second)] {
                let endpoint = RunnerEndpoint(id: name, networkNamespace: place.namespace, port: place.backend.port)
                await stand.edge.setRunners(EdgeStand.revision, [endpoint], concurrencyMax: 5)
                #expect(try stand.get().text == name)
            }
            // The edge's own network again: a socket made afterwards is not left in a namespace.
            await stand.setRunners([outside])
            #expect(try stand.get().text == "outside")
            await stand.stop()
        }
    }
}

private struct NamespacedBackend: Sendable {
    let backend: TestBackend
    let namespace: Int32
}

/// A backend whose thread, and so its socket, is in a new network namespace; nil where none can be made.
private func namespacedBackend(answering text: String) throws -> NamespacedBackend? {
    typealias Unshare = @convention(c) (Int32) -> Int32
    let newNetwork: Int32 = 0x4000_0000
    guard let symbol = dlsym(nil, "unshare"), unsafeBitCast(symbol, to: Unshare.self)(newNetwork) == 0 else {
        return nil
    }
    // A child of this thread is in its namespace.
    guard run(["ip", "link", "set", "lo", "up"]) == 0 else { return nil }
    let namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    return namespace < 0
        ? nil : NamespacedBackend(backend: try TestBackend(answering: { _ in ok(text) }), namespace: namespace)
}

/// Runs a program to its end; its status, or -1 where it cannot be started.
private func run(_ words: [String]) -> Int32 {
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid = pid_t()
    guard posix_spawnp(&pid, words[0], nil, nil, &arguments, environ) == 0 else { return -1 }
    var status: Int32 = 0
    return waitpid(pid, &status, 0) == pid ? status : -1
}
