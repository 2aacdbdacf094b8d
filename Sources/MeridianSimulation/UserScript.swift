// UserScript: what people do in a run: drawn from the seed, the same with and without faults.

/// One thing that a person does.
enum UserAction: Sendable, Equatable {
    /// Applies an app; one that is still being deleted is waited for.
    case apply(app: String, source: Int, runnersMin: Int)
    case delete(app: String)
    /// Takes the object away with its finalizers, and applies another of its name at once.
    case replace(app: String, source: Int)
    /// Goes back to an older ready revision, where there is one.
    case rollback(app: String)
    case restart(app: String)
    /// Applies a split of `split.localhost` between the latest revision and a named one or another app.
    case split(name: String, app: String, backends: [Backend])
    case deleteSplit(name: String)
    case region(name: String)

    /// A share of a split.
    enum Backend: Sendable, Equatable {
        case latest(Int)
        case first(Int)
        case app(String, Int)
    }
}

/// A sequence of actions.
struct UserScript: Sendable {
    static let apps = ["ant", "bee", "cat"]

    let actions: [UserAction]

    /// The script of a seed; scripts for `sameName` delete and replace more.
    init(seed: UInt64, faults: FaultClass?) {
        var draw = Draw(seed: seed &* 101 &+ 13)
        let count = 4 + draw.below(7)
        var actions: [UserAction] = [.apply(app: "ant", source: 1 + draw.below(9), runnersMin: draw.below(3))]
        while actions.count < count { actions.append(Self.action(&draw, likesNames: faults == .sameName)) }
        self.actions = actions
    }

    private static func action(_ draw: inout Draw, likesNames: Bool) -> UserAction {
        let app = draw.pick(apps) ?? "ant"
        if likesNames, draw.chance(40) {
            return draw.chance(50) ? .replace(app: "ant", source: source(&draw)) : .delete(app: "ant")
        }
        switch draw.below(20) {
        case 0...9: return .apply(app: app, source: source(&draw), runnersMin: draw.below(3))
        case 10, 11: return .delete(app: app)
        case 12, 13: return .rollback(app: app)
        case 14: return .restart(app: app)
        case 15, 16: return .split(name: "split-\(draw.below(2))", app: app, backends: backends(&draw))
        case 17: return .deleteSplit(name: "split-\(draw.below(2))")
        case 18: return .region(name: "fra")
        default: return .replace(app: app, source: source(&draw))
        }
    }

    /// Mostly sources that work; some that do not build, some that do not listen.
    private static func source(_ draw: inout Draw) -> Int {
        switch draw.below(8) {
        case 0: SimulatedSource.buildFails + draw.below(2)
        case 1: SimulatedSource.checkFails + draw.below(2)
        default: 1 + draw.below(9)
        }
    }

    private static func backends(_ draw: inout Draw) -> [UserAction.Backend] {
        switch draw.below(3) {
        case 0: [.latest(100)]
        case 1: [.latest(90), .first(10)]
        default: [.latest(50), .app(draw.pick(apps) ?? "bee", 50)]
        }
    }
}
