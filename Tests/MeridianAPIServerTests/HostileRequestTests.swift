// HostileRequestTests: mutated requests bring neither a crash nor a hang nor a 500.
import Glibc
import HTTPTypes
import Hummingbird
import Logging
import MeridianModel
import MeridianPorts
import MeridianStore
import NIOCore
import Testing

@testable import MeridianAPIServer

/// Numbers from a seed (splitmix64), so that a failure can be had again.
private struct Dice {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// A request before it is one.
private struct Sample {
    var method: String
    var path: String
    var type: String
    var body: [UInt8]

    init(_ method: String, _ path: String, _ type: String = "application/json", _ body: String = "") {
        self.method = method
        self.path = path
        self.type = type
        self.body = Array(body.utf8)
    }

    private static let apps = "/apis/meridian.dev/v1/namespaces/default/apps"
    private static let app =
        #"{"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","labels":{"x":"y"}},"spec":{"source":{"path":"."},"scaling":{"min":1}}}"#

    static let all = [
        Sample("POST", apps, "application/json", app),
        Sample("PUT", apps + "/a", "application/json", app),
        Sample("PATCH", apps + "/a?fieldManager=m&force=true", "application/apply-patch+yaml", app),
        Sample("PATCH", apps + "/a", "application/merge-patch+json", #"{"spec":{"args":["1",null],"env":{"A":"b"}}}"#),
        Sample(
            "PATCH",
            apps + "/a",
            "application/json-patch+json",
            #"[{"op":"add","path":"/spec/args","value":["x"]},{"op":"move","from":"/spec/args/0","path":"/spec/args/-"}]"#
        ),
        Sample("PATCH", apps + "/a/scale", "application/merge-patch+json", #"{"spec":{"replicas":3}}"#),
        Sample("PATCH", apps + "/a/status", "application/merge-patch+json", #"{"status":{"readyRunners":3}}"#),
        Sample("PUT", apps + "/a/scale", "application/json", #"{"spec":{"replicas":2}}"#),
        Sample(
            "GET",
            apps + "?labelSelector=a%20in%20(b,c),!d&fieldSelector=metadata.name%3Dx&limit=2&continue=v1.1.default.a"
        ),
        Sample("GET", apps + "?watch=1&resourceVersion=1&timeoutSeconds=0&sendInitialEvents=true"),
        Sample("GET", "/api/v1/namespaces/default/pods/x/log?tailLines=10&sinceSeconds=5"),
        Sample(
            "POST",
            "/api/v1/namespaces/default/secrets",
            "application/json",
            #"{"apiVersion":"v1","kind":"Secret","metadata":{"generateName":"s-"},"data":{"A":"aGk="}}"#
        ),
        Sample(
            "PATCH",
            "/api/v1/namespaces/default",
            "application/strategic-merge-patch+json",
            #"{"metadata":{"finalizers":["a"],"$setElementOrder/finalizers":["a"]}}"#
        ),
        Sample("DELETE", apps + "/a", "application/json", #"{"dryRun":["All"],"preconditions":{"uid":"x"}}"#),
        Sample("DELETE", apps + "?dryRun=All"),
        Sample(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "application/json",
            #"{"spec":{"resourceAttributes":{"verb":"get","resource":"apps"}}}"#
        ),
        Sample(
            "POST",
            "/api/v1/namespaces",
            "application/vnd.kubernetes.protobuf",
            "k8s\0\n\u{0F}\n\u{02}v1\u{12}\tNamespace\u{12}\u{07}\n\u{05}\n\u{03}abc"
        ),
        Sample("POST", "/meridian/v1/plan", "application/json", #"{"objects":[\#(app)]}"#),
        Sample("GET", "/openapi/v3/apis/meridian.dev/v1?hash=x"), Sample("GET", "/apis/meridian.dev"),
    ]

    private static let words: [String] = [
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e999", "-0.0", "null", "true", "{}",
        "[]",
        "\"\"", "\u{0}", "\u{FFFD}", "%00", "%", "&", "=", "/", "..", "~1", "~0", "$ref", "metadata", "managedFields",
        "resourceVersion", "generation",
        #""managedFields":[{"fieldsV1":{"f:spec":{}},"operation":"Apply","manager":"m"}],"#,
        #""uid":"x","#, #""deletionTimestamp":"2026-01-01T00:00:00Z","#, #""finalizers":["a/b"],"#, "=in(", "!", ",",
        "apps",
        "pods", "secrets", "namespaces", "status", "scale", #"{"a":"#, "[[[[", "\"",
    ]

    mutating func mutate(_ dice: inout Dice) {
        switch dice.below(12) {
        case 0: flip(&dice)
        case 1: body.removeSubrange(range(&dice, most: 40))
        case 2: body.insert(contentsOf: Array(dice.pick(Self.words).utf8), at: dice.below(body.count + 1))
        case 3: body.insert(contentsOf: body[range(&dice, most: 200)], at: dice.below(body.count + 1))
        case 4:
            body.insert(
                contentsOf: Array(repeating: UInt8(ascii: "["), count: dice.below(4000)),
                at: dice.below(body.count + 1)
            )
        case 5: mutatePath(&dice)
        case 6: path += (path.contains("?") ? "&" : "?") + dice.pick(Self.parameters) + "=" + dice.pick(Self.words)
        case 7: method = dice.pick(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"])
        case 8: type = dice.pick(Self.all).type
        case 9: body = dice.pick(Self.all).body
        case 10: path = dice.pick(Self.all).path
        default:
            body.insert(
                contentsOf: Array(repeating: UInt8(ascii: "a"), count: dice.below(1 << 12)),
                at: dice.below(body.count + 1)
            )
        }
    }

    private static let parameters = [
        "limit", "continue", "watch", "resourceVersion", "timeoutSeconds", "labelSelector", "fieldSelector", "dryRun",
        "fieldManager", "fieldValidation", "force", "tailLines", "sinceSeconds", "limitBytes", "includeObject",
        "allowWatchBookmarks",
    ]

    private mutating func flip(_ dice: inout Dice) {
        guard !body.isEmpty else { return }
        body[dice.below(body.count)] ^= UInt8(1 << dice.below(8))
    }

    private func range(_ dice: inout Dice, most: Int) -> Range<Int> {
        let start = dice.below(body.count + 1)
        return start..<min(body.count, start + dice.below(most))
    }

    private mutating func mutatePath(_ dice: inout Dice) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let place = dice.below(parts.count)
        switch dice.below(3) {
        case 0: parts.remove(at: place)
        case 1: parts.insert(dice.pick(Self.words), at: place)
        default: parts[place] = dice.pick(Self.words)
        }
        path = parts.joined(separator: "/")
    }
}

@Suite("Hostile requests")
struct HostileRequestTests {
    /// Mutated requests of a run; `MERIDIAN_FUZZ_REQUESTS` gives another number.
    private static let requests = getenv("MERIDIAN_FUZZ_REQUESTS").flatMap { Int(String(cString: $0)) } ?? 2000
    /// A run of a hundred thousand stays far below; one that keeps what it is sent does not.
    private static let residentBytesMax = 1 << 30

    @Test("mutated bodies, patches, paths and selectors are answered, and never by a 500", .timeLimit(.minutes(30)))
    func mutations() async throws {
        let seed = getenv("MERIDIAN_FUZZ_SEED").flatMap { UInt64(String(cString: $0)) } ?? 20_261_125
        let handler = try await Self.handler()
        var dice = Dice(state: seed)
        var counts: [Int: Int] = [:]
        for number in 0..<Self.requests {
            var sample = dice.pick(Sample.all)
            for _ in 0..<(1 + dice.below(4)) { sample.mutate(&dice) }
            if number % 1000 == 999 { sample.body = Array(repeating: UInt8(ascii: "["), count: 10 << 20) }
            let code = await Self.code(of: sample, handler)
            counts[code, default: 0] += 1
            let text =
                "seed \(seed), request \(number): \(sample.method) \(sample.path.debugDescription) \(sample.type)"
            #expect(
                code < 500,
                Comment(rawValue: "\(code): \(text)\n\(String(decoding: sample.body.prefix(2000), as: UTF8.self))")
            )
            if number % 1000 == 0 { #expect(await Self.code(of: Sample("GET", "/version"), handler) == 200) }
        }
        print("\(Self.requests) mutated requests, answers by code: \(counts.sorted { $0.key < $1.key })")
        #expect((counts[200] ?? 0) > 0 && (counts[400] ?? 0) > 0 && (counts[404] ?? 0) > 0)
        #expect(Self.residentBytes() < Self.residentBytesMax)
    }

    private static func handler() async throws -> RequestHandler {
        let clock = WallClock()
        let store = MemoryStore(clock: clock)
        let backends = FakeBackends()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let objects = ObjectAPI(store: store, sealing: FakeSealing(), clock: clock, random: SystemRandom())
        try await objects.makeMissingNamespaces()
        return RequestHandler(
            objects: objects,
            backends: APIBackends(plan: backends, logs: backends, blobs: backends, status: backends),
            authenticator: Authenticator(store: store, clock: clock, trustsLoopback: true),
            auditLog: NoAudit(),
            desk: WatchDesk(store: store, clock: clock, logger: logger),
            documents: APIDocuments(version: "test"),
            version: "test",
            logger: logger
        )
    }

    private static func code(of sample: Sample, _ handler: RequestHandler) async -> Int {
        guard let method = HTTPRequest.Method(sample.method) else { return 400 }
        var head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1", path: sample.path)
        head.headerFields[.contentType] = sample.type
        let body = RequestBody(buffer: ByteBuffer(bytes: sample.body))
        return Int(await handler.respond(to: Request(head: head, body: body), from: nil).status.code)
    }

    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var total = 0
        var resident = 0
        guard
            withUnsafeMutablePointer(
                to: &total,
                { first in
                    withUnsafeMutablePointer(to: &resident) { second in
                        withVaList([first, second]) { vfscanf(file, "%ld %ld", $0) }
                    }
                }
            ) == 2
        else { return 0 }
        return resident * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
