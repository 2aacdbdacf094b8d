// SkewTests: clients that stay on a revision without a share, and clients that a header places.
import MeridianModel
import MeridianRouting
import Testing

private func route(_ shares: [(String, Int)]) -> HostRoute {
    var route = HostRoute()
    route.host = "app.test"
    route.app = "default/app"
    route.backends = shares.map { RouteBackend(revision: "default/\($0.0)", weight: $0.1) }
    return route
}

private func table(_ route: HostRoute) throws -> CompiledRouteTable {
    try CompiledRouteTable(RouteTable(number: 1, hosts: [route]))
}

extension CompiledRouteTable {
    /// The revision that a user is placed on.
    fileprivate func revision(ofUser user: String) -> String? {
        guard let pick = pick(host: "app.test", ["X-User": user], draw: 0), pick.slot >= 0,
            case .revision(let key) = slots[Int(pick.slot)]
        else { return nil }
        return key
    }
}

@Suite("Skew protection")
struct SkewTests {
    @Test("a client stays on a kept revision whatever the weights say, and on no other one")
    func kept() throws {
        var route = route([("app-00003", 100), ("app-00002", 0)])
        route.stickyCookie = "v"
        route.kept = ["default/app-00001", "default/app-00002"]
        route.stickyTTL = .seconds(43_200)
        let table = try table(route)
        func pick(_ value: String) throws -> Pick {
            try #require(table.pick(host: "app.test", ["cookie": "v=\(value)"], draw: 0))
        }
        for name in ["app-00001", "app-00002", "app-00003"] {
            let pick = try pick(name)
            #expect(table.slots[Int(pick.slot)] == .revision("default/\(name)") && pick.cookie == -1)
        }
        for name in ["app-00004", "other-00001", "", "default/app-00001"] {
            let pick = try pick(name)
            #expect(table.slots[Int(pick.slot)] == .revision("default/app-00003"))
            let cookie = String(decoding: table.view.setCookie(pick.cookie), as: UTF8.self)
            #expect(cookie == "v=app-00003; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")
        }
    }

    @Test("a rule keeps clients on revisions of its own")
    func rules() throws {
        var route = route([("app-00002", 100)])
        route.stickyCookie = "v"
        var rule = RouteRule([], [RouteBackend(revision: "default/api-00002", weight: 100)])
        rule.stickyCookie = "v-1"
        rule.kept = ["default/api-00001"]
        route.rules = [rule]
        let table = try table(route)
        let pick = try #require(table.pick(host: "app.test", ["cookie": "v-1=api-00001; v=app-00002"], draw: 0))
        #expect(table.slots[Int(pick.slot)] == .revision("default/api-00001"))
    }
}

@Suite("Clients placed by a header")
struct StickyHeaderTests {
    private func placed(_ shares: [(String, Int)], users: Int = 10_000) throws -> [String?] {
        var route = route(shares)
        route.stickyHeader = "x-user"
        let table = try table(route)
        return (0..<users).map { table.revision(ofUser: "user-\($0)") }
    }

    private func moved(_ before: [String?], _ after: [String?]) -> Int { zip(before, after).count { $0 != $1 } }

    @Test("each backend gets its share of the values, and a value always the same")
    func shares() throws {
        let placed = try placed([("app-00001", 10), ("app-00002", 90)])
        #expect((900...1100).contains(placed.count { $0 == "default/app-00001" }))
        #expect(try self.placed([("app-00001", 10), ("app-00002", 90)]) == placed)
        #expect(try self.placed([("app-00002", 90), ("app-00001", 10)]) == placed)
    }

    @Test("when weights change only those move who must")
    func weights() throws {
        let before = try placed([("app-00001", 10), ("app-00002", 90)])
        let after = try placed([("app-00001", 30), ("app-00002", 70)])
        #expect((1800...2200).contains(moved(before, after)))
        for (old, new) in zip(before, after) where old == "default/app-00001" { #expect(new == old) }
    }

    @Test("a new revision in the place of the newest moves nobody else")
    func replacement() throws {
        let before = try placed([("app-00001", 10), ("app-00002", 90)])
        let after = try placed([("app-00001", 10), ("app-00003", 90)])
        for (old, new) in zip(before, after) {
            #expect(new == (old == "default/app-00001" ? old : "default/app-00003"))
        }
    }

    @Test("a backend that comes moves at most twice its share")
    func arrival() throws {
        let before = try placed([("a-00001", 40), ("c-00001", 60)])
        let after = try placed([("a-00001", 30), ("b-00001", 20), ("c-00001", 50)])
        #expect(moved(before, after) <= 4200)
    }

    @Test("a request without the header is drawn")
    func absent() throws {
        var route = route([("app-00001", 50), ("app-00002", 50)])
        route.stickyHeader = "x-user"
        let table = try table(route)
        var counts: [Int32: Int] = [:]
        for draw in 0..<UInt64(100) {
            counts[try #require(table.pick(host: "app.test", draw: draw)).slot, default: 0] += 1
        }
        #expect(counts.values.sorted() == [50, 50])
        #expect(table.pick(host: "app.test", ["x-user": "a"], draw: 0)?.cookie == -1)
    }
}
