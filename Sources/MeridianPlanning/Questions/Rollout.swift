// Rollout: which revision of an app serves, and when another one may take over.
package import MeridianModel

/// The decision about one app's serving revision.
package struct Rollout: Sendable, Equatable {
    /// The revision that routes lead to now; nil where none serves yet.
    package var serving: Revision?
    /// The revision that should serve: the pinned one, else the newest that is ready.
    package var target: Revision?
    /// What is done about the difference.
    package var move: Move

    /// What a rollout does next.
    package enum Move: Sendable, Equatable {
        /// Serving and target are the same, or there is nothing to serve.
        case stay
        /// As many runners of the target are started as serve now, before it takes over.
        case prepare(runners: Int, ready: Int)
        /// The target takes over; it keeps its prepared runners while the books are changed.
        case flip(runners: Int)
        /// It cannot be told whether the target is ready: a node does not answer.
        case wait(String)
    }

    /// Runners of the target that must be up although no request asks for them.
    var preparedRunners: Int {
        switch move {
        case .prepare(let runners, _), .flip(let runners): runners
        case .stay, .wait: 0
        }
    }
}

/// Decides which revision of an app serves.
///
/// A revision that replaces one with runners takes over when as many of its own are ready; one that replaces a
/// revision at zero takes over at once, since either would start cold.
package func rollout(of situation: AppSituation, in world: World) -> Rollout {
    let serving = situation.serving
    let target = situation.isDeleting ? serving : situation.pinned ?? situation.readyRevisions.last
    guard let target, let serving, serving.key != target.key else {
        let isFirst = serving == nil && target != nil
        return Rollout(serving: serving, target: target, move: isFirst ? .flip(runners: 0) : .stay)
    }
    let unheard = world.nodesUnheard
    guard unheard.isEmpty else {
        let names = unheard.joined(separator: ", ")
        return Rollout(serving: serving, target: target, move: .wait("node \(names) does not answer"))
    }
    let scaling = situation.app.spec.scaling
    let running = world.readyRunners(of: serving.key.path)
    let needed = min(max(running, running > 0 ? scaling.min : 0), scaling.max)
    let ready = world.readyRunners(of: target.key.path)
    let move: Rollout.Move = ready >= needed ? .flip(runners: needed) : .prepare(runners: needed, ready: ready)
    return Rollout(serving: serving, target: target, move: move)
}

extension World {
    /// What a node says of a revision whose runners fail; nil where none does.
    package func trouble(of revision: String) -> RevisionTrouble? {
        nodeViews.sorted { $0.key < $1.key }.lazy
            .compactMap { $0.value.report?.troubles.first { $0.revision == revision } }.first
    }
}
