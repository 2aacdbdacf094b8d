// RoutingPlanTests: which host leads where.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Routes of apps and splits")
struct RoutingPlanTests {
    private func scene() -> Scene {
        var scene = Scene()
        scene.app("hello")
        scene.settle()
        return scene
    }

    @Test("an app answers on its default host and each ready revision on its own")
    func ownHosts() {
        let scene = scene()
        #expect(scene.route("hello.default.localhost") == [RouteBackend(revision: "default/hello-00001", weight: 100)])
        #expect(
            scene.route("hello-00001.default.localhost") == [RouteBackend(revision: "default/hello-00001", weight: 100)]
        )
    }

    @Test("of two splits that claim a host the older one has it, and the younger one says so")
    func olderSplitWins() {
        var scene = scene()
        let latest = [SplitBackend(revision: "latest", weight: 100)]
        scene.split("alpha", of: "hello", hosts: ["shop.localhost", "new.localhost"], latest, age: 1)
        scene.split("beta", of: "hello", hosts: ["shop.localhost"], latest, age: 2)
        scene.settle()
        let alpha = scene.world.splits["default/alpha"]?.object.status
        #expect(alpha?.hosts == ["new.localhost"])
        #expect(alpha?.conditions.condition("Ready")?.reason == "HostTaken")
        #expect(scene.world.splits["default/beta"]?.object.status.conditions.holds("Ready") == true)
    }

    @Test("the certificate of a split goes to the node sealed, and a missing one is said")
    func certificates() throws {
        var scene = scene()
        scene.split("shop", of: "hello", hosts: ["shop.test"], [SplitBackend(revision: "latest", weight: 100)])
        var split = try #require(scene.world.splits["default/shop"]?.object)
        split.spec.tls = TLSSettings()
        split.spec.tls?.secret = "shop-tls"
        split.spec.tls?.redirect = true
        scene.world.splits.set(Stored(split, modRevision: 1000))
        scene.settle()
        #expect(
            scene.world.splits["default/shop"]?.object.status.conditions.condition("Ready")?.reason
                == "CertificateMissing"
        )
        #expect(scene.assignment?.certificates == [])
        var secret = Secret()
        secret.metadata = Metadata(name: "shop-tls", namespace: "default")
        secret.sealed = ["tls.crt": "sealed chain", "tls.key": "sealed key"]
        scene.world.secrets.set(Stored(secret, modRevision: 1001))
        scene.settle()
        let certificate = try #require(scene.assignment?.certificates.first)
        #expect(certificate.hosts == ["shop.test"] && certificate.chain.isEmpty && certificate.key.isEmpty)
        #expect(certificate.sealed["tls.key"]?.text == "sealed key")
        #expect(scene.assignment?.routes.hosts.first { $0.host == "shop.test" }?.secureOnly == true)
        scene.world.unopenable = ["sealed key"]
        scene.settle()
        #expect(scene.assignment?.certificates == [])
    }

    @Test("a split cannot take an app's own host")
    func ownHostIsReserved() {
        var scene = scene()
        scene.split(
            "thief",
            of: "hello",
            hosts: ["hello.default.localhost"],
            [SplitBackend(revision: "latest", weight: 100)]
        )
        scene.settle()
        let condition = scene.world.splits["default/thief"]?.object.status.conditions.condition("Ready")
        #expect(condition?.reason == "HostReserved")
    }

    @Test("the share of a missing backend goes to the others, so that weights sum to 100")
    func missingBackendSharesOut() {
        var scene = scene()
        scene.revision("hello", 2, .ready, source: 1)
        scene.settle()
        scene.split(
            "canary",
            of: "hello",
            hosts: ["c.localhost"],
            [
                SplitBackend(revision: "latest", weight: 50), SplitBackend(revision: "hello-00001", weight: 25),
                SplitBackend(revision: "hello-00077", weight: 25),
            ]
        )
        scene.settle()
        #expect(scene.route("c.localhost")?.map(\.weight) == [67, 33])
        let condition = scene.world.splits["default/canary"]?.object.status.conditions.condition("Ready")
        #expect(condition?.reason == "BackendMissing")
    }

    @Test("a revision with a share of a split keeps the app's minimum of runners")
    func sharesKeepTheMinimum() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.app("hello", source: 2, min: 1)
        scene.settle()
        #expect(scene.assignment?.revisions.map(\.runnersMin) == [0, 1])
        scene.split(
            "canary",
            of: "hello",
            hosts: ["c.localhost"],
            [SplitBackend(revision: "latest", weight: 90), SplitBackend(revision: "hello-00001", weight: 10)]
        )
        scene.settle()
        #expect(scene.assignment?.revisions.map(\.runnersMin) == [1, 1])
    }

    @Test("the rules of a split are resolved in order: names in one form, aliases, backends, a cookie of their own")
    func rules() throws {
        var scene = scene()
        var region = Region(metadata: Metadata(name: "fra"), spec: RegionSpec())
        region.spec.aliases = ["EU"]
        scene.world.regions.set(Stored(region, modRevision: 900))
        scene.app("other")
        scene.settle()
        scene.split("shop", of: "hello", hosts: ["s.localhost"], [SplitBackend(revision: "latest", weight: 100)]) {
            var match = RequestMatch()
            match.pathPrefix = "/v2/"
            match.region = "eu"
            match.headers = [ValueMatch("X-Beta", exact: "yes")]
            $0.rules = [
                SplitRule([match], [SplitBackend(app: "other", weight: 100)]),
                SplitRule([], [SplitBackend(revision: "hello-00001", weight: 100)]),
            ]
            $0.sticky = StickySettings()
        }
        scene.settle()
        let route = try #require(scene.assignment?.routes.hosts.first { $0.host == "s.localhost" })
        #expect(route.rules.map(\.words) == ["/v2 in fra with header x-beta \"yes\"", "everything"])
        #expect(
            route.rules.map(\.backends) == [
                [RouteBackend(revision: "default/other-00001", weight: 100)],
                [RouteBackend(revision: "default/hello-00001", weight: 100)],
            ]
        )
        let cookies = [route.stickyCookie] + route.rules.map(\.stickyCookie)
        #expect(route.stickyCookie == "mrd-variant" && Set(cookies).count == 3)
        #expect(scene.world.splits["default/shop"]?.object.status.conditions.holds("Ready") == true)
    }

    @Test("a revision with a share in a rule keeps the app's minimum of runners, and is not cleaned up")
    func rulesKeepRevisions() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.split("shop", of: "hello", hosts: ["s.localhost"], [SplitBackend(revision: "latest", weight: 100)]) {
            var match = RequestMatch()
            match.method = "POST"
            $0.rules = [SplitRule([match], [SplitBackend(revision: "hello-00001", weight: 100)])]
        }
        for source in 2...14 {
            scene.app("hello", source: source, min: 1)
            #expect(scene.settle() != nil)
        }
        let floors = scene.assignment?.revisions.filter { $0.runnersMin > 0 }.map(\.key)
        #expect(floors == ["default/hello-00001", "default/hello-00014"])
    }

    @Test("clients stay on every ready revision of the app for maxAge, but on none that was rolled back")
    func skewProtection() throws {
        var scene = scene()
        for source in 2...3 {
            scene.app("hello", source: source)
            scene.settle()
        }
        scene.split("shop", of: "hello", hosts: ["s.localhost"], [SplitBackend(revision: "latest", weight: 100)]) {
            $0.sticky = StickySettings()
            $0.sticky?.maxAge = .seconds(43_200)
        }
        scene.settle()
        func route() -> HostRoute? { scene.assignment?.routes.hosts.first { $0.host == "s.localhost" } }
        #expect(route()?.backends == [RouteBackend(revision: "default/hello-00003", weight: 100)])
        #expect(route()?.kept == ["default/hello-00001", "default/hello-00002"])
        #expect(route()?.stickyTTL == .seconds(43_200))
        scene.edit("hello") {
            $0.metadata.annotations[OwnAnnotation.rollbackTo] = "hello-00002"
            $0.metadata.annotations[OwnAnnotation.rollbackFrom] = "hello-00003"
        }
        scene.settle()
        #expect(route()?.backends == [RouteBackend(revision: "default/hello-00002", weight: 100)])
        #expect(route()?.kept == ["default/hello-00001"])
    }

    @Test("copies go to the mirror's revision, which keeps its runners; a missing one is said and nothing else changes")
    func mirror() throws {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.app("hello", source: 2, min: 1)
        scene.settle()
        func split(_ mirror: SplitBackend) {
            scene.split("shop", of: "hello", hosts: ["s.localhost"], [SplitBackend(revision: "latest", weight: 100)]) {
                $0.mirror = mirror
            }
            scene.settle()
        }
        func route() -> HostRoute? { scene.assignment?.routes.hosts.first { $0.host == "s.localhost" } }
        split(SplitBackend(revision: "hello-00001", weight: 10))
        #expect(route()?.mirror == RouteBackend(revision: "default/hello-00001", weight: 10))
        #expect(scene.assignment?.revisions.map(\.runnersMin) == [1, 1])
        split(SplitBackend(app: "ghost", weight: 10))
        #expect(route()?.mirror == nil && route()?.backends.map(\.weight) == [100])
        let condition = scene.world.splits["default/shop"]?.object.status.conditions.condition("Ready")
        #expect(condition?.message.contains("spec.mirror: there is no App \"ghost\"") == true)
    }
}
