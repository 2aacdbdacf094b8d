// ReadingTests: lists, pages, selectors and watches.
import MeridianAPIClient
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianAPIServer

@Suite("Listing objects")
struct ListingTests {
    @Test("the client reads all pages, sorted, and the version of the first page")
    func pages() async throws {
        try await TestServer.run { server in
            let kind = try #require(Kind.named("region"))
            let puts = (0..<1203).map { number in
                let key = ObjectKey(kind: "Region", name: "r\(10_000 + number)")
                return StoreOperation.put(key, .region(key.name), .absent)
            }
            let revision = try await server.store.commit(puts)
            let list = try await server.client.list(kind)
            #expect(list.items.count == 1203 && list.resourceVersion == String(revision))
            #expect(list.items.compactMap(\.name) == list.items.compactMap(\.name).sorted())
            #expect(list.items.first?.version == String(revision))
        }
    }

    @Test("selectors choose by labels and fields, and unknown fields are refused")
    func selectors() async throws {
        try await TestServer.run { server in
            let kind = try #require(Kind.named("app"))
            for (name, tier) in [("a", "web"), ("b", "web"), ("c", "batch")] {
                _ = try await server.client.apply(.app(name, labels: ["tier": .string(tier)]), .app(name))
            }
            try await server.makeNamespace("other")
            _ = try await server.client.apply(.app("d"), .app("d", namespace: "other"))
            func names(_ labels: String?, fields: String? = nil, namespace: String? = nil) async throws -> [String] {
                let selection = APIClient.Selection(namespace: namespace, labels: labels, fields: fields)
                return try await server.client.list(kind, selection).items.compactMap(\.name)
            }
            #expect(try await names("tier=web") == ["a", "b"])
            #expect(try await names("tier notin (web)") == ["c", "d"])
            #expect(try await names("!tier") == ["d"])
            #expect(try await names(nil, fields: "metadata.name=b") == ["b"])
            #expect(try await names(nil, namespace: "other") == ["d"])
            let refused = await refusal { _ = try await names(nil, fields: "spec.app=x") }
            #expect(refused?.message.hasPrefix("field label not supported: spec.app") == true)
        }
    }

    @Test(
        "label selectors are read as Kubernetes reads them",
        arguments: [
            ("", 0), ("a=b", 1), ("a==b,c!=d", 2), ("a in (b, c),d notin (e)", 2), ("a,!b", 2), ("x.example/a = b", 1),
        ]
    )
    func grammar(_ text: String, _ count: Int) throws {
        #expect(try LabelSelector(text).requirements.count == count)
    }

    @Test(
        "broken label selectors are refused",
        arguments: ["a in b", "a in (b", "=b", "a=b=c", "a b", ",", "a,,b", "a in (b) c"]
    )
    func brokenGrammar(_ text: String) { #expect(throws: APIFailure.self) { try LabelSelector(text) } }

    @Test("missing labels match != and notin, and none of the others")
    func missing() throws {
        #expect(try LabelSelector("a!=b").matches([:]) && LabelSelector("a notin (b)").matches([:]))
        #expect(try !LabelSelector("a=b").matches([:]) && !LabelSelector("a in (b)").matches([:]))
        #expect(try LabelSelector("a=").matches(["a": ""]))
    }
}

@Suite("Watching objects")
struct WatchingTests {
    private static let region = Kind.named("region")
    private static let key = ObjectKey(kind: "Region", name: "fra")

    @Test("changes come in order, and a watch goes on after the last version seen")
    func orderAndResume() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            let start = try await server.client.apply(.app("a"), .app("a")).object.version
            let first = try await server.client.watch(kind, after: start)
            for number in 0..<20 {
                _ = try await server.client.apply(.region("fra", ["aliases": [.string("x\(number)")]]), Self.key)
            }
            var seen: [WatchEvent] = []
            for try await event in first {
                seen.append(event)
                if seen.count == 10 { break }
            }
            #expect(seen.map(\.change) == [.added] + Array(repeating: .modified, count: 9))
            try await server.client.delete(Self.key)
            let rest = try await server.client.watch(kind, after: seen.last?.resourceVersion)
            for try await event in rest {
                seen.append(event)
                if event.change == .deleted { break }
            }
            let aliases = seen.dropLast().compactMap { $0.object["spec"]?["aliases"]?.array?.first?.string }
            #expect(aliases == (0..<20).map { "x\($0)" })
            let versions = seen.compactMap { $0.resourceVersion.flatMap { Int64($0) } }
            #expect(versions == versions.sorted() && Set(versions).count == 21)
        }
    }

    @Test("without a version every object comes first; selectors turn changes into additions and deletions")
    func initialAndSelected() async throws {
        try await TestServer.run { server in
            let kind = try #require(Kind.named("app"))
            _ = try await server.client.apply(.app("a", labels: ["x": "1"]), .app("a"))
            _ = try await server.client.apply(.app("b"), .app("b"))
            let selection = APIClient.Selection(namespace: "default", labels: "x=1")
            var watch = try await server.client.watch(kind, selection).makeAsyncIterator()
            var seen = [try #require(try await watch.next())]
            _ = try await server.client.apply(.app("b", labels: ["x": "1"]), .app("b"))
            _ = try await server.client.apply(.app("a"), .app("a"))
            try await server.makeNamespace("other")
            _ = try await server.client.apply(.app("c", labels: ["x": "1"]), .app("c", namespace: "other"))
            _ = try await server.client.apply(.app("b", ["args": ["1"]], labels: ["x": "1"]), .app("b"))
            while seen.count < 4, let event = try await watch.next() { seen.append(event) }
            let texts = seen.map { "\($0.change.rawValue) \($0.object.name ?? "")" }
            #expect(texts == ["ADDED a", "ADDED b", "DELETED a", "MODIFIED b"])
        }
    }

    @Test("too old and unknown versions are told as gone")
    func gone() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            for number in 0..<5 {
                _ = try await server.client.apply(.region("fra", ["aliases": [.string("x\(number)")]]), Self.key)
            }
            try await server.store.compact(through: 4)
            for version in ["1", "999"] {
                let failure = await refusal {
                    for try await _ in try await server.client.watch(kind, after: version) {}
                }
                #expect(failure?.code == .gone && failure?.reason == "Expired", "\(version)")
            }
        }
    }

    @Test("a watch ends at its time")
    func timeout() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            for try await _ in try await server.client.watch(kind, for: .seconds(1)) {}
        }
    }

    @Test("the server's end ends watches, and does not wait for them", .timeLimit(.minutes(1)))
    func shutdown() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            _ = try await server.client.apply(.region("fra"), Self.key)
            var watch = try await server.client.watch(kind).makeAsyncIterator()
            #expect(try await watch.next()?.change == .added)
            await server.stop()
            #expect(try await watch.next() == nil)
        }
    }

    @Test("a watcher that does not read does not hold up the server's end", .timeLimit(.minutes(1)))
    func stuckAtShutdown() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            let start = try await server.client.apply(.app("a"), .app("a")).object.version
            var watch = try await server.client.watch(kind, after: start).makeAsyncIterator()
            let padding = JSONValue.array((0..<5000).map { .string("alias-number-\($0)-of-a-long-list") })
            for number in 0..<200 {
                let value = JSONValue.region("fra", ["aliases": padding, "nodes": [.string("n\(number)")]])
                try await server.store.commit([.put(Self.key, value, .any)])
            }
            #expect(try await watch.next()?.change == .added)
            await server.stop()
            for await _ in server.ended {}
        }
    }

    @Test("a watcher that does not read does not hold up writers, and then gets every change")
    func slowWatcher() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            let start = try await server.client.apply(.app("a"), .app("a")).object.version
            let watch = try await server.client.watch(kind, after: start)
            let padding = JSONValue.array((0..<20).map { .string("alias-number-\($0)-of-a-long-list") })
            for number in 0..<3000 {
                let value = JSONValue.region("fra", ["aliases": padding, "nodes": [.string("n\(number)")]])
                try await server.store.commit([.put(Self.key, value, .any)])
            }
            var next = 0
            for try await event in watch {
                try #require(event.object["spec"]?["nodes"] == [.string("n\(next)")])
                next += 1
                if next == 3000 { break }
            }
        }
    }

    @Test("200 watchers all see the same changes")
    func manyWatchers() async throws {
        try await TestServer.run { server in
            let kind = try #require(Self.region)
            let version = try await server.client.apply(.region("fra"), Self.key).object.version
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    let watch = try await server.client.watch(kind, after: version)
                    group.addTask {
                        var count = 0
                        for try await _ in watch {
                            count += 1
                            if count == 10 { break }
                        }
                        return count
                    }
                }
                for number in 0..<10 {
                    _ = try await server.client.apply(.region("fra", ["aliases": [.string("x\(number)")]]), Self.key)
                }
                for try await count in group { #expect(count == 10) }
            }
        }
    }
}
