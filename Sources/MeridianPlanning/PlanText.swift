// PlanText: plans and predictions as text and as a document.
package import MeridianModel

extension Plan {
    /// One line per step and per wait, in order: the form of the golden plans.
    package var text: String {
        var lines = steps.map { "\($0.step.words): \($0.why)" }
        lines += waiting.map { "wait \($0.subject): \($0.text)" }
        if let wakeAt { lines.append("wake at \(wakeAt)") }
        return lines.isEmpty ? "nothing to do\n" : lines.map { $0 + "\n" }.joined()
    }
}

extension Step {
    /// The step in a few words, without its reason: `build Revision/default/hello-00001`.
    package var words: String {
        switch self {
        case .createRevision(let revision, _, _): "create \(revision.key)"
        case .build(let start): "build \(start.revision)"
        case .cancelBuild(let key): "cancel the build of \(key)"
        case .checkPort(let start): "check the port of \(start.revision) on node \(start.node)"
        case .write(let write): "write \(write.key)"
        case .delete(let fence): "delete \(fence.key)"
        case .finishDeletion(let fence): "finish the deletion of \(fence.key)"
        case .endRollback(let fence): "end the rollback of \(fence.key)"
        case .assign(let node, let assignment):
            "assign \(assignment.routes.hosts.count) hosts and \(assignment.revisions.count) revisions to node \(node)"
        case .record(let event): "record \(event.reason) of \(event.object)"
        case .lookAtGit(let look): "look at the repository of \(look.subject)"
        case .applyGit(let apply): "apply \(apply.objects.count) objects of \(apply.source.key)"
        case .pruneGit(let prune): "delete \(prune.objects.count) objects that left \(prune.source.key)"
        }
    }
}

extension Prediction {
    /// The lines that people read; a single line where nothing is to do.
    package var text: String {
        let lines = effects.map { "\($0.text): \($0.why)" } + waiting.map { "waiting: \($0.subject.path) \($0.text)" }
        return lines.isEmpty ? "nothing to do\n" : lines.map { $0 + "\n" }.joined()
    }

    /// The form that programs read.
    package var document: PlanDocument {
        var document = PlanDocument()
        document.summary = summary
        document.steps = effects.map {
            PlanEffect(verb: $0.verb, object: $0.object.description, text: $0.text, why: $0.why)
        }
        document.waiting = waiting.map { PlanWait(object: $0.subject.description, text: $0.text) }
        return document
    }
}
