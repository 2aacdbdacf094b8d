// RoleTests: the table of roles, line by line: who may do what, and where.
import MeridianModel
import Testing

@testable import MeridianAPIServer

@Suite("Roles")
struct RoleTests {
    /// One question: a caller, an HTTP method and a path, and whether it is allowed.
    struct Line: CustomTestStringConvertible, Sendable {
        let caller: String
        let method: String
        let path: String
        let isAllowed: Bool

        init(_ text: Substring) {
            let words = text.split(separator: " ").map(String.init)
            (isAllowed, caller, method) = (words[0] == "yes", words[1], words[2])
            path = words[3]
                .replacing("NS/", with: "/apis/meridian.dev/v1/namespaces/")
                .replacing("CORE/", with: "/api/v1/")
                .replacing("G/", with: "/apis/meridian.dev/v1/")
        }

        var testDescription: String { "\(caller) \(method) \(path): \(isAllowed ? "allowed" : "refused")" }
    }

    /// `viewer`, or `viewer@shop,blog` for a role in some namespaces.
    private static func caller(_ text: String) -> Caller {
        let parts = text.split(separator: "@").map(String.init)
        switch parts[0] {
        case "anonymous": return .anonymous
        case "local": return .local
        default:
            var spec = AccessTokenSpec()
            spec.role = AccessRole(rawValue: parts[0]) ?? .viewer
            let places = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
            if spec.role == .node { spec.node = places.first } else { spec.namespaces = places }
            return Caller(AccessToken(metadata: Metadata(name: "x"), spec: spec))
        }
    }

    private static func request(_ line: Line) -> AccessRequest {
        let isWatch = line.method == "WATCH"
        return AccessRequest(method: isWatch ? "GET" : line.method, path: line.path, isWatch: isWatch)
    }

    @Test("the table", arguments: lines.split(separator: "\n").map(Line.init))
    func holds(_ line: Line) {
        #expect(Self.caller(line.caller).allows(Self.request(line)) == line.isAllowed)
    }

    private static let lines = """
        yes anonymous GET /version
        yes anonymous GET /healthz
        yes anonymous HEAD /readyz
        no anonymous POST /version
        no anonymous GET /apis
        no anonymous GET /openapi/v3
        no anonymous GET G/apps
        no anonymous POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews
        no anonymous GET /meridian/v1/status
        yes viewer@shop GET /api
        yes viewer@shop GET /apis/meridian.dev/v1
        yes viewer@shop GET /openapi/v3/apis/meridian.dev/v1
        yes viewer@shop POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews
        yes viewer@shop POST /apis/authentication.k8s.io/v1/selfsubjectreviews
        yes viewer GET G/apps
        yes viewer WATCH G/apps
        yes viewer GET NS/shop/apps/hello
        yes viewer GET NS/shop/apps/hello/log
        yes viewer GET CORE/namespaces/shop/pods/p/log
        yes viewer GET CORE/namespaces
        yes viewer GET G/nodes
        no viewer POST NS/shop/apps
        no viewer PATCH NS/shop/apps/hello
        no viewer DELETE NS/shop/apps/hello
        no viewer POST NS/shop/apps/hello/restart
        no viewer PATCH NS/shop/apps/hello/scale
        no viewer GET NS/shop/secrets
        no viewer GET NS/shop/secrets/db
        no viewer WATCH G/secrets
        no viewer GET CORE/namespaces/shop/secrets/db
        no viewer GET CORE/secrets
        no viewer GET G/accesstokens
        no viewer GET G/accesstokens/ci
        no viewer PUT /meridian/v1/blobs/sha256:00
        yes viewer POST /meridian/v1/plan
        yes viewer@shop GET NS/shop/apps
        yes viewer@shop,blog WATCH NS/blog/apps
        no viewer@shop GET NS/blog/apps
        no viewer@shop GET G/apps
        no viewer@shop WATCH G/apps
        no viewer@shop GET //apis//meridian.dev/v1/namespaces/blog/apps
        no viewer@shop GET NS/%73hop/apps
        yes viewer@shop GET G/regions
        yes viewer@shop GET G/syscallallowlists/web-default
        yes viewer@shop GET CORE/namespaces/shop
        no viewer@shop GET CORE/namespaces/blog
        no viewer@shop GET CORE/namespaces
        no viewer@shop GET G/nodes
        no viewer@shop GET G/gitsources
        yes editor POST NS/shop/apps
        yes editor PATCH NS/shop/apps/hello
        yes editor PUT NS/shop/apps/hello
        yes editor DELETE NS/shop/apps
        yes editor POST NS/shop/apps/hello/rollback
        yes editor PATCH NS/shop/apps/hello/scale
        yes editor GET NS/shop/secrets/db
        yes editor PATCH NS/shop/secrets/db
        yes editor PUT /meridian/v1/blobs/sha256:00
        yes editor HEAD /meridian/v1/blobs/sha256:00
        no editor PATCH NS/shop/apps/hello/status
        no editor PATCH G/regions/fra
        no editor PATCH G/syscallallowlists/web-default
        no editor POST CORE/namespaces
        no editor DELETE CORE/namespaces/shop
        no editor GET G/accesstokens
        no editor POST G/accesstokens
        no editor PATCH G/gitsources/repo
        yes editor@shop PATCH NS/shop/trafficsplits/www
        no editor@shop PATCH NS/blog/trafficsplits/www
        no editor@shop GET NS/blog/secrets/db
        yes admin PATCH G/regions/fra
        yes admin POST G/accesstokens
        yes admin DELETE CORE/namespaces/shop
        yes admin PATCH NS/shop/apps/hello/status
        yes admin PUT /meridian/v1/anything
        no viewer GET /meridian/v1/audit
        no editor GET /meridian/v1/audit
        no admin@shop GET /meridian/v1/audit
        yes admin GET /meridian/v1/audit
        yes viewer@shop GET /meridian/v1/seal-key
        no anonymous GET /meridian/v1/seal-key
        no editor POST /meridian/v1/seal-key
        no admin@shop POST /meridian/v1/seal-key
        yes admin POST /meridian/v1/seal-key
        yes admin POST /meridian/v1/backup
        no editor POST /meridian/v1/backup
        no viewer POST /meridian/v1/backup
        no anonymous POST /meridian/v1/backup
        no node@fra-1 POST /meridian/v1/backup
        no admin@shop POST /meridian/v1/backup
        yes admin@shop GET /meridian/v1/status
        yes admin@shop PUT /meridian/v1/blobs/sha256:00
        yes admin@shop DELETE NS/shop/runners/r
        yes admin@shop PATCH NS/shop/apps/hello/status
        yes admin@shop GET NS/shop/secrets/db
        no admin@shop GET NS/blog/secrets/db
        no admin@shop PATCH G/regions/fra
        no admin@shop POST G/accesstokens
        no admin@shop GET G/accesstokens/ci
        no admin@shop GET G/secrets
        yes node@fra-1 GET G/nodes/fra-1
        yes node@fra-1 WATCH G/nodes/fra-1/assignment
        yes node@fra-1 PUT G/nodes/fra-1/report
        yes node@fra-1 GET /meridian/v1/blobs/sha256:00
        no node@fra-1 GET G/nodes/fra-2/assignment
        no node@fra-1 PUT G/nodes/fra-2/report
        no node@fra-1 PATCH G/nodes/fra-1
        no node@fra-1 GET G/nodes
        no node@fra-1 GET G/apps
        no node@fra-1 GET NS/shop/secrets/db
        no node@fra-1 PUT /meridian/v1/blobs/sha256:00
        yes local DELETE G/accesstokens/ci
        yes local GET G/secrets
        """

    @Test("every kind stands in the table, so that a new one is placed and not forgotten")
    func complete() {
        let named = Set((AccessRule.rules(.editor) + AccessRule.everybody(isKnown: true)).flatMap(\.names))
        let unranked = Kind.all.map(\.plural).filter { !named.contains($0) }
        #expect(
            unranked == ["accesstokens"],
            "name the kind's plural in the rules of viewer, editor or here: admin only"
        )
    }

    @Test("a refusal has Kubernetes' words: object, user, verb, resource, group and place")
    func words() {
        let viewer = Self.caller("viewer@shop")
        let namespaced = Self.refusal(viewer, "PATCH", "/apis/meridian.dev/v1/namespaces/shop/apps/hello")
        #expect(
            namespaced?.message
                == "apps.meridian.dev \"hello\" is forbidden: User \"x\" cannot patch resource \"apps\""
                + " in API group \"meridian.dev\" in the namespace \"shop\""
        )
        #expect(namespaced?.code == 403 && namespaced?.reason == "Forbidden")
        #expect(namespaced?.details?["kind"] == "apps" && namespaced?.details?["group"] == "meridian.dev")
        let core = Self.refusal(viewer, "GET", "/api/v1/secrets")
        #expect(
            core?.message == "secrets is forbidden: User \"x\" cannot list resource \"secrets\""
                + " in API group \"\" at the cluster scope"
        )
        let path = Self.refusal(viewer, "PUT", "/meridian/v1/blobs/x")
        #expect(path?.message == "forbidden: User \"x\" cannot put path \"/meridian/v1/blobs/x\"")
        #expect(Self.refusal(.anonymous, "GET", "/apis")?.code == 401)
        #expect(Self.refusal(.local, "GET", "/apis") == nil)
    }

    private static func refusal(_ caller: Caller, _ method: String, _ path: String) -> APIFailure? {
        do throws(APIFailure) {
            try caller.require(AccessRequest(method: method, path: path, isWatch: false))
            return nil
        } catch {
            return error
        }
    }

    @Test("the rules of a namespace are those that hold there")
    func rules() {
        let editor = Self.caller("editor@shop")
        #expect(editor.rules(in: "shop").contains { $0.names.contains("secrets") })
        #expect(!editor.rules(in: "blog").contains { $0.names.contains("apps") })
        #expect(editor.rules(in: "blog").contains { $0.names.contains("regions") })
        #expect(!Self.caller("admin@shop").rules(in: "shop").contains { $0.reach == .cluster })
    }

    @Test("a token names the node it belongs to, and nothing that is not its role's")
    func tokenRules() {
        func problems(_ spec: JSONValue) -> [String] {
            var context = DecodingContext()
            _ = AccessTokenSpec.decode(spec, at: FieldPath("spec"), &context)
            return context.problems.map(\.message)
        }
        let digest = JSONValue.string("sha256:\(String(repeating: "a", count: 64))")
        #expect(problems(["role": "viewer", "digest": digest]) == [])
        #expect(problems(["role": "node", "node": "fra-1", "digest": digest]) == [])
        #expect(
            problems(["role": "node", "digest": digest]) == ["spec.node: the role node needs the name of its node"]
        )
        #expect(problems(["role": "admin", "node": "fra-1", "digest": digest]).count == 1)
        #expect(problems(["role": "node", "node": "n", "namespaces": ["a"], "digest": digest]).count == 1)
        #expect(problems(["role": "admin", "digest": .string(Digest.zero.description)]).count == 1)
    }
}
