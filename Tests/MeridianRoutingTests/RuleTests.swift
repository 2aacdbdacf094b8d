// RuleTests: which rule takes a request.
import MeridianModel
import MeridianRouting
import Testing

private func backend(_ name: String) -> [RouteBackend] {
    [RouteBackend(revision: "default/\(name)-00001", weight: 100)]
}

private func match(_ change: (inout RequestMatch) -> Void) -> RequestMatch {
    var match = RequestMatch()
    change(&match)
    return match
}

private func compiled(_ rules: [RouteRule], region: String? = nil, sticky: String? = nil) throws -> CompiledRouteTable {
    var route = HostRoute()
    route.host = "app.test"
    route.app = "default/main"
    route.region = region
    route.backends = backend("main")
    route.rules = rules
    route.stickyCookie = sticky
    return try CompiledRouteTable(RouteTable(number: 1, hosts: [route]))
}

extension CompiledRouteTable {
    /// The app that a request to `app.test` reaches; nil for none.
    fileprivate func app(
        _ target: String = "/",
        method: String = "GET",
        with fields: KeyValuePairs<String, String> = [:]
    ) -> String? {
        guard let pick = pick(host: "app.test", method: method, target: target, fields, draw: 0), pick.slot >= 0,
            case .revision(let key) = slots[Int(pick.slot)]
        else { return nil }
        return String(key.dropFirst("default/".count).dropLast("-00001".count))
    }
}

@Suite("Rules of a host")
struct RuleTests {
    @Test(
        "a path prefix matches by whole segments and not the query",
        arguments: [
            ("/v2", true), ("/v2/", true), ("/v2/x", true), ("/v2?a=/b", true), ("/v2/?", true), ("/v20", false),
            ("/", false), ("/v", false), ("/V2", false), ("/x/v2", false), ("/x?/v2", false), ("", false), ("*", false),
            ("?/v2", false), ("//v2", false),
        ]
    )
    func pathPrefix(_ target: String, isTaken: Bool) throws {
        let table = try compiled([RouteRule([match { $0.pathPrefix = "/v2" }], backend("two"))])
        #expect(table.app(target) == (isTaken ? "two" : "main"))
    }

    @Test("a header's name has no case, its value has, and one of several fields is enough")
    func headers() throws {
        let table = try compiled([
            RouteRule([match { $0.headers = [ValueMatch("x-plan", exact: "gold")] }], backend("exact")),
            RouteRule([match { $0.headers = [ValueMatch("x-plan", prefix: "go")] }], backend("prefix")),
            RouteRule([match { $0.headers = [ValueMatch(present: "x-plan")] }], backend("present")),
        ])
        #expect(table.app(with: ["X-Plan": "gold"]) == "exact")
        #expect(table.app(with: ["x-plan": "Gold"]) == "present")
        #expect(table.app(with: ["x-plan": "tin", "x-PLAN": "gold"]) == "exact")
        #expect(table.app(with: ["x-plan": "golden"]) == "prefix")
        #expect(table.app(with: ["x-plan": ""]) == "present")
        #expect(table.app(with: ["x-plans": "gold", "y-plan": "gold"]) == "main")
        #expect(table.app() == "main")
    }

    @Test("a cookie is found among others, whose first of one name counts")
    func cookies() throws {
        let table = try compiled([
            RouteRule([match { $0.cookies = [ValueMatch("beta", exact: "1")] }], backend("beta")),
            RouteRule([match { $0.cookies = [ValueMatch(present: "beta")] }], backend("other")),
        ])
        #expect(table.app(with: ["cookie": "a=1; beta=1"]) == "beta")
        #expect(table.app(with: ["x": "y", "Cookie": "a=1", "cookie": "beta=1"]) == "beta")
        #expect(table.app(with: ["cookie": "beta=2; beta=1"]) == "other")
        #expect(table.app(with: ["cookie": "Beta=1; xbeta=1"]) == "main")
        #expect(table.app(with: ["x-cookie": "beta=1"]) == "main")
    }

    @Test("all conditions of a match must hold, and one match of a rule")
    func conjunction() throws {
        let all = match {
            $0.method = "POST"
            $0.pathPrefix = "/pay"
            $0.headers = [ValueMatch("x-a", exact: "1"), ValueMatch(present: "x-b")]
        }
        let table = try compiled([RouteRule([all, match { $0.method = "PUT" }], backend("pay"))])
        #expect(table.app("/pay/1", method: "POST", with: ["x-a": "1", "x-b": "2"]) == "pay")
        #expect(table.app("/pay/1", method: "POST", with: ["x-a": "1"]) == "main")
        #expect(table.app("/pay/1", method: "post", with: ["x-a": "1", "x-b": "2"]) == "main")
        #expect(table.app("/other", method: "POST", with: ["x-a": "1", "x-b": "2"]) == "main")
        #expect(table.app("/other", method: "PUT") == "pay")
    }

    @Test("the first rule that matches decides, also by having no backend; a rule without matches takes the rest")
    func order() throws {
        let table = try compiled([
            RouteRule([match { $0.pathPrefix = "/a/b" }], backend("deep")),
            RouteRule([match { $0.pathPrefix = "/a" }], []),
            RouteRule([], backend("rest")),
        ])
        #expect(table.app("/a/b/c") == "deep")
        #expect(table.pick(host: "app.test", target: "/a/x", draw: 0)?.outcome == .noBackend)
        #expect(table.app("/") == "rest")
    }

    @Test("a match of another region is never looked at, and one of the host's is no condition")
    func regions() throws {
        let rules = [
            RouteRule([match { $0.region = "ams" }], backend("ams")),
            RouteRule([match { $0.region = "fra" }], backend("fra")),
        ]
        #expect(try compiled(rules, region: "ams").app() == "ams")
        #expect(try compiled(rules, region: "fra").app() == "fra")
        #expect(try compiled(rules, region: "nyc").app() == "main")
        #expect(try compiled(rules).app() == "main")
        #expect(try compiled(rules, region: "nyc").view.looksAtHead(0) == false)
    }

    @Test("the shares of a rule are drawn by weight, and its cookie is its own")
    func shares() throws {
        var rule = RouteRule(
            [match { $0.pathPrefix = "/v2" }],
            [
                RouteBackend(revision: "default/two-00001", weight: 30),
                RouteBackend(revision: "default/two-00002", weight: 70),
            ]
        )
        rule.stickyCookie = "v-rule"
        let table = try compiled([rule], sticky: "v")
        var counts: [Int32: Int] = [:]
        for draw in 0..<UInt64(1000) {
            counts[try #require(table.pick(host: "app.test", target: "/v2", draw: draw)).slot, default: 0] += 1
        }
        #expect(counts.values.sorted() == [300, 700])
        let drawn = try #require(table.pick(host: "app.test", target: "/v2", ["cookie": "v=main-00001"], draw: 0))
        #expect(String(decoding: table.view.setCookie(drawn.cookie), as: UTF8.self).hasPrefix("v-rule=two-00001; "))
        let kept = table.pick(host: "app.test", target: "/v2", ["cookie": "v-rule=two-00002"], draw: 0)
        #expect(kept?.cookie == -1 && kept?.slot != drawn.slot)
    }

    @Test("rules that are not canonical or not sound are refused")
    func refused() {
        func code(_ rule: RouteRule) -> RouteTableError.Code? {
            do {
                _ = try compiled([rule])
                return nil
            } catch {
                return (error as? RouteTableError)?.code
            }
        }
        #expect(code(RouteRule([match { $0.pathPrefix = "/v2/" }], backend("a"))) == .badMatch)
        #expect(code(RouteRule([match { $0.headers = [ValueMatch(present: "X-A")] }], backend("a"))) == .badMatch)
        #expect(code(RouteRule([match { $0.headers = [ValueMatch()] }], backend("a"))) == .badMatch)
        #expect(code(RouteRule([], [RouteBackend(revision: "default/a-00001", weight: 9)])) == .weightsDoNotSum)
        #expect(code(RouteRule([], [RouteBackend(address: "x:1", weight: 100)])) == .badAddress)
    }
}
