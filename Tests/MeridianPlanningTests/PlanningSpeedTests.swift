// PlanningSpeedTests: that plans and previews stay quick where there are a thousand apps.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("A thousand apps", .serialized)
struct PlanningSpeedTests {
    /// Unoptimised code is many times slower; what is held there is only that nothing grows with the square.
    #if DEBUG
        private static let slack = 20
    #else
        private static let slack = 1
    #endif

    private static func scene(apps: Int) -> Scene {
        var scene = Scene()
        for index in 0..<apps {
            let name = "app\(index)"
            scene.app(name)
            scene.revision(name, 1, .ready)
            scene.revision(name, 2, .ready)
            scene.serving(name, 2)
        }
        return scene
    }

    @Test("are planned in 200 ms, even where the state of every one has changed")
    func planIsQuick() {
        var scene = Self.scene(apps: 1000)
        scene.runners((0..<500).map { ("app\($0)-00002", 2) })
        let clock = ContinuousClock()
        var quickest = Duration.seconds(3600)
        var steps = 0
        for _ in 0..<3 { quickest = min(quickest, clock.measure { steps = scene.plan.steps.count }) }
        #expect(steps > 2000)
        #expect(quickest < .milliseconds(200 * Self.slack), "\(quickest)")
    }

    @Test("more are previewed in 2 s")
    func previewIsQuick() {
        let scene = Self.scene(apps: 100)
        var new: [any APIObject] = []
        for index in 0..<1000 {
            var app = App(metadata: Metadata(name: "new\(index)", namespace: "default"), spec: AppSpec())
            app.spec.source.path = "./new"
            app.spec.source.digest = Scene.digest(index)
            new.append(app)
        }
        let clock = ContinuousClock()
        var lines = 0
        let elapsed = clock.measure { lines = predict(scene.world.overlaid(with: new)).effects.count }
        #expect(lines > 6000)
        #expect(elapsed < .seconds(2 * Self.slack), "\(elapsed)")
    }
}
