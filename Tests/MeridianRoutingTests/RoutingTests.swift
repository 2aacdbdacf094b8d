// RoutingTests: which backend a request gets, and which tables are refused.
import MeridianModel
import MeridianRouting
import Testing

private func route(_ host: String, _ backends: [RouteBackend], sticky: String? = nil) -> HostRoute {
    var route = HostRoute()
    route.host = host
    route.app = "default/hello"
    route.backends = backends
    route.stickyCookie = sticky
    return route
}

private func compiled(_ hosts: [HostRoute]) throws -> CompiledRouteTable {
    try CompiledRouteTable(RouteTable(number: 1, hosts: hosts))
}

private let split = [
    RouteBackend(revision: "default/hello-00002", weight: 90),
    RouteBackend(revision: "default/hello-00001", weight: 10),
]

@Suite("Address ranges")
struct AddressRangeTests {
    @Test(
        "an address lies in a range by its leading bits",
        arguments: [
            ("10.0.0.0/8", [10, 1, 2, 3], true), ("10.0.0.0/8", [11, 1, 2, 3], false),
            ("192.0.2.128/25", [192, 0, 2, 200], true), ("192.0.2.128/25", [192, 0, 2, 100], false),
            ("192.0.2.7", [192, 0, 2, 7], true), ("192.0.2.7", [192, 0, 2, 8], false),
            ("0.0.0.0/0", [1, 2, 3, 4], true), ("::/0", [1, 2, 3, 4], false),
            ("2001:db8::/33", [0x20, 1, 0xD, 0xB8, 0x7F] + [UInt8](repeating: 1, count: 11), true),
            ("2001:db8::/33", [0x20, 1, 0xD, 0xB8, 0x80] + [UInt8](repeating: 1, count: 11), false),
        ] as [(String, [UInt8], Bool)]
    )
    func contains(text: String, address: [UInt8], isWithin: Bool) throws {
        let range = try #require(AddressRange(text))
        #expect(address.withUnsafeBufferPointer { range.contains($0) } == isWithin)
    }

    @Test(
        "other texts are no ranges",
        arguments: ["", "a/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "1.2.3.4/+8"]
    )
    func refused(_ text: String) { #expect(AddressRange(text) == nil) }
}

@Suite("Picking a backend")
struct PickingTests {
    @Test("weights are exact over each hundred draws")
    func weights() throws {
        let table = try compiled([route("hello.localhost", split)])
        var counts = [0, 0]
        for draw in 0..<UInt64(1000) {
            let pick = try #require(table.pick(host: "hello.localhost", draw: draw))
            counts[Int(pick.slot)] += 1
        }
        #expect(counts == [900, 100])
    }

    @Test("random draws keep the weights within one percent")
    func randomWeights() throws {
        let table = try compiled([route("hello.localhost", split)])
        var generator = SplitMix(state: 7)
        var first = 0
        for _ in 0..<100_000 where table.pick(host: "hello.localhost", draw: generator.next())?.slot == 0 { first += 1 }
        #expect((89_000...91_000).contains(first))
    }

    @Test(
        "a host is found whatever its case, port and final dot",
        arguments: [
            "hello.localhost", "HELLO.LocalHost", "hello.localhost:8080", "Hello.localhost.", "hello.localhost.:80",
        ]
    )
    func hostForms(_ host: String) throws {
        let table = try compiled([route("hello.localhost", split)])
        #expect(table.pick(host: host, draw: 0)?.outcome == .backend)
    }

    @Test(
        "other hosts are unknown",
        arguments: ["", ":", ".", "hello", "hello.localhostx", "ello.localhost", "[::1]:80"]
    )
    func unknownHosts(_ host: String) throws {
        let table = try compiled([route("hello.localhost", split)])
        #expect(table.pick(host: host, draw: 0) == nil)
    }

    @Test("ten thousand hosts are each found")
    func manyHosts() throws {
        let hosts = (0..<10_000).map {
            route("app\($0).localhost", [RouteBackend(revision: "default/app\($0)-00001", weight: 100)])
        }
        let table = try compiled(hosts)
        for index in 0..<10_000 {
            let pick = try #require(table.pick(host: "app\(index).localhost:80", draw: UInt64(index)))
            #expect(table.slots[Int(pick.slot)] == .revision("default/app\(index)-00001"))
        }
        #expect(table.pick(host: "app10000.localhost", draw: 0) == nil)
    }

    @Test("a host without backends has none to pick")
    func noBackends() throws {
        let table = try compiled([route("hello.localhost", [])])
        #expect(table.pick(host: "hello.localhost", draw: 0)?.outcome == .noBackend)
    }
}

@Suite("Sticky clients and overrides")
struct StickyTests {
    @Test("a cookie keeps its backend whatever the draw, and is not set again")
    func kept() throws {
        let table = try compiled([route("hello.localhost", split, sticky: "mrd-variant")])
        for draw in 0..<UInt64(100) {
            let pick = table.pick(host: "hello.localhost", ["cookie": "mrd-variant=hello-00001"], draw: draw)
            #expect(pick == Pick(outcome: .backend, slot: 1))
        }
    }

    @Test("a client without a cookie is drawn and told its backend")
    func drawn() throws {
        let table = try compiled([route("hello.localhost", split, sticky: "mrd-variant")])
        let pick = try #require(table.pick(host: "hello.localhost", draw: 95))
        #expect(pick.slot == 1)
        let text = String(decoding: table.view.setCookie(pick.cookie), as: UTF8.self)
        #expect(text == "mrd-variant=hello-00001; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax")
    }

    @Test("a cookie of a backend that left the split, or whose weight is 0, is drawn anew")
    func gone() throws {
        let backends = [
            RouteBackend(revision: "default/hello-00003", weight: 100),
            RouteBackend(revision: "default/hello-00002", weight: 0),
        ]
        let table = try compiled([route("hello.localhost", backends, sticky: "v")])
        for name in ["hello-00001", "hello-00002", ""] {
            let pick = try #require(table.pick(host: "hello.localhost", ["cookie": "v=\(name)"], draw: 0))
            #expect(pick.slot == 0 && pick.cookie >= 0)
        }
    }

    @Test("the override header chooses among the offered revisions only")
    func overrides() throws {
        var offered = route("hello.localhost", split)
        offered.allowOverride = true
        offered.overrides = ["hello-00001", "hello-00007"]
        var closed = route("closed.localhost", split)
        closed.overrides = ["hello-00007"]
        let table = try compiled([closed, offered])
        let pick = try #require(table.pick(host: "hello.localhost", override: "hello-00007", draw: 0))
        #expect(table.slots[Int(pick.slot)] == .revision("default/hello-00007"))
        #expect(table.pick(host: "hello.localhost", override: "other-00001", draw: 0)?.outcome == .unknownOverride)
        #expect(table.pick(host: "closed.localhost", override: "hello-00007", draw: 0)?.slot == 0)
    }

    @Test("a cookie is found among others by its exact name")
    func cookies() {
        func find(_ name: String, _ field: String) -> String? {
            let bytes = Array(field.utf8)
            return Array(name.utf8).withUnsafeBufferPointer { name in
                bytes.withUnsafeBufferPointer { field in
                    cookieValue(named: name, in: field).map { String(decoding: field[$0], as: UTF8.self) }
                }
            }
        }
        #expect(find("v", "a=1; v=hello-00001; vv=3") == "hello-00001")
        #expect(find("v", "v=x") == "x")
        #expect(find("v", "vv=x; xv=y") == nil)
        #expect(find("v", "v") == nil)
        #expect(find("v", "v=") == "")
    }
}

@Suite("Tables that are refused")
struct RefusedTableTests {
    private func code(_ hosts: [HostRoute]) -> RouteTableError.Code? {
        do {
            _ = try CompiledRouteTable(RouteTable(number: 1, hosts: hosts))
            return nil
        } catch {
            return error.code
        }
    }

    @Test("duplicate and malformed hosts")
    func hosts() {
        #expect(code([route("a.localhost", []), route("a.localhost", [])]) == .duplicateHost)
        for host in ["", "A.localhost", "a.localhost:80", "a b", "a..b"] {
            #expect(code([route(host, [])]) == .badHost)
        }
    }

    @Test("weights that do not sum to 100 or are out of range")
    func weights() {
        func backend(_ weight: Int) -> RouteBackend { RouteBackend(revision: "default/a-00001", weight: weight) }
        #expect(code([route("a", [backend(99)])]) == .weightsDoNotSum)
        #expect(code([route("a", [backend(50), backend(51)])]) == .weightsDoNotSum)
        #expect(code([route("a", [backend(-1), backend(101)])]) == .badWeight)
    }

    @Test("backends without exactly one destination, bad addresses, bad cookies")
    func destinations() {
        var both = RouteBackend(revision: "default/a-00001", weight: 100)
        both.address = "127.0.0.1:80"
        #expect(code([route("a", [both])]) == .badBackend)
        #expect(code([route("a", [RouteBackend()])]) == .badBackend)
        for address in [
            "localhost:80", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.04:80", "::1:80", "[::1]", "[x]:1",
        ] {
            #expect(code([route("a", [RouteBackend(address: address, weight: 100)])]) == .badAddress, "\(address)")
        }
        #expect(code([route("a", split, sticky: "a b")]) == .badCookie)
    }

    @Test("numeric addresses of both families are read")
    func addresses() {
        #expect(NumericAddress("127.0.0.1:8080")?.bytes == [127, 0, 0, 1])
        #expect(NumericAddress("[::1]:80")?.bytes == [UInt8](repeating: 0, count: 15) + [1])
        #expect(NumericAddress("[2001:db8::1:2]:80")?.description == "[2001:db8:0:0:0:0:1:2]:80")
        #expect(NumericAddress("[1:2:3:4:5:6:7:8]:80") != nil)
        for text in ["[1:2:3:4:5:6:7]:80", "[1::2::3]:80", "[:::]:80", "[12345::]:80", "[1:2:3:4:5:6:7:8:9]:1"] {
            #expect(NumericAddress(text) == nil, "\(text)")
        }
    }
}

/// A small generator with a known state, so that a failure repeats (SplitMix64).
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
