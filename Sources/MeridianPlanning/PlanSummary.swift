// PlanSummary: what differs between two worlds in a few words for people: builds, runners, shares, cold starts.
import MeridianModel

/// The differences of one world from another that a person cares about, each in a few words, in the order of work.
///
/// Hosts of revisions are left out, as are an app's default host where a split of it has others: nobody is sent there.
func planSummary(from before: World, to after: World) -> [String] {
    let past = PastRevisions(before)
    let new = after.revisions.map(\.object).filter { before.revisions[$0.key.path] == nil }
    return syscalls(of: new, past) + builds(of: new, past) + runners(from: before, to: after)
        + moves(from: before, to: after) + protections(from: before, to: after)
        + coldStarts(from: before, to: after) + deletions(from: before, to: after)
}

/// `syscalls of api, web: +ptrace -socket`: what the apps' programs may call from then on, and not any more.
private func syscalls(of new: [Revision], _ past: PastRevisions) -> [String] {
    var apps: [String: [String]] = [:]
    for revision in new {
        guard let change = past.syscallChange(of: revision) else { continue }
        apps[change.words(most: syscallsNamedMax), default: []].append(revision.spec.app)
    }
    return apps.map { "syscalls of \($0.value.sorted().joined(separator: ", ")): \($0.key)" }.sorted()
}

private func builds(of new: [Revision], _ past: PastRevisions) -> [String] {
    new.compactMap { revision in
        guard revision.spec.template.executable == nil else { return nil }
        return "build \(revision.spec.app)" + (past.hasBuilt(revision.spec.template) ? " (cached)" : "")
    }
}

// MARK: Runners

private func runners(from before: World, to after: World) -> [String] {
    let old = runnersByRegion(before)
    let new = runnersByRegion(after)
    return Set(old.keys).union(new.keys).sorted().compactMap { region in
        let change = new[region, default: 0] - old[region, default: 0]
        guard change != 0 else { return nil }
        let words = abs(change) == 1 ? "runner" : "runners"
        return "\(change > 0 ? "start" : "stop") \(abs(change)) \(words) in \(region)"
    }
}

/// Runners of all apps by the region that they run for.
private func runnersByRegion(_ world: World) -> [String: Int] {
    var counts: [String: Int] = [:]
    for (node, view) in world.nodeViews {
        for runner in view.report?.runners ?? [] {
            let app = world.revisions[runner.revision].flatMap { revision in
                world.apps["\(revision.object.metadata.namespace)/\(revision.object.spec.app)"]?.object
            }
            counts[app.map { world.region(of: $0, on: node) } ?? RegionSpec.localName, default: 0] += 1
        }
    }
    return counts
}

// MARK: Shares

private func moves(from before: World, to after: World) -> [String] {
    let old = shares(before)
    let new = shares(after)
    let noise = quietHosts(after).union(quietHosts(before))
    return Set(old.keys).union(new.keys).subtracting(noise).sorted().flatMap { host in
        moves(of: host, from: old[host], to: new[host])
    }
}

private func moves(of host: String, from old: [String: Int]?, to new: [String: Int]?) -> [String] {
    guard let new else { return ["unroute \(host)"] }
    guard let old else {
        let targets = new.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let words = targets.map { targets.count == 1 ? $0.key : "\($0.value) % \($0.key)" }
        return ["route \(host) → \(words.joined(separator: ", "))"]
    }
    return new.sorted { $0.key < $1.key }.compactMap { target, weight in
        let gain = weight - old[target, default: 0]
        return gain > 0 ? "move \(gain) % of \(host) → \(target)" : nil
    }
}

/// The share of each target by host, and by `host (match)` for its rules and `host (mirror)`; what leads nowhere is left out.
private func shares(_ world: World) -> [String: [String: Int]] {
    var shares: [String: [String: Int]] = [:]
    for route in world.nodeViews.values.compactMap(\.assigned).flatMap(\.routes.hosts) {
        // Every node has the same shares; the first that is looked at says them.
        if shares[route.host] == nil, !route.backends.isEmpty { shares[route.host] = named(route.backends) }
        let copies = "\(route.host) (mirror)"
        if let mirror = route.mirror, shares[copies] == nil { shares[copies] = named([mirror]) }
        for rule in route.rules where !rule.backends.isEmpty {
            let place = "\(route.host) (\(rule.words))"
            if shares[place] == nil { shares[place] = named(rule.backends) }
        }
    }
    return shares
}

private func named(_ backends: [RouteBackend]) -> [String: Int] {
    let pairs = backends.map { backend in
        let name = name(of: backend)
        return (name, backend.weight)
    }
    return Dictionary(pairs, uniquingKeysWith: +)
}

/// The hosts that nobody is sent to.
private func quietHosts(_ world: World) -> Set<String> {
    let own = world.revisions.map { "\($0.object.metadata.name).\($0.object.metadata.namespace).localhost" }
    let split = world.splits.compactMap { split in
        world.apps["\(split.object.metadata.namespace)/\(split.object.spec.app)"].map { defaultHost(of: $0.object) }
    }
    return Set(own + split)
}

/// Every node has the same policies; the first says them.
private func protections(from before: World, to after: World) -> [String] {
    func policies(_ world: World) -> [RoutePolicy] {
        world.nodeViews.sorted { $0.key < $1.key }.lazy.compactMap(\.value.assigned).first?.routes.policies ?? []
    }
    return policyChanges(from: policies(before), to: policies(after)).map { "\($0.verb) \($0.text)" }
}

// MARK: Cold starts and deletions

/// Apps whose next request finds another revision than before, and no runner of it.
private func coldStarts(from before: World, to after: World) -> [String] {
    let count = after.apps.count { stored in
        guard let serving = stored.object.status.servingRevision,
            serving != before.apps[stored.object.key.path]?.object.status.servingRevision
        else { return false }
        return after.readyRunners(of: "\(stored.object.metadata.namespace)/\(serving)") == 0
    }
    return count == 0 ? [] : ["\(count) cold \(count == 1 ? "start" : "starts") expected"]
}

private func deletions(from before: World, to after: World) -> [String] {
    let keys =
        before.apps.map(\.object.key) + before.splits.map(\.object.key) + before.regions.map(\.object.key)
        + before.policies.map(\.object.key) + before.allowlists.map(\.object.key) + before.secrets.map(\.object.key)
    return keys.filter { after.object($0) == nil }.map { "delete \($0.kind.lowercased())/\($0.name)" }
}
