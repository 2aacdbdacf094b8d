// CrossReferences+Routes: what splits say of apps and of each other's hosts, and regions of each other.

internal import MeridianModel

extension CrossReferences {
    /// Everything wrong with what the splits refer to.
    var splitDiagnostics: [Diagnostic] { hostClaims + splits.flatMap(backendDiagnostics) }

    /// Hosts that two splits claim, at the later of the two.
    private var hostClaims: [Diagnostic] {
        var owners: [String: DeclaredObject] = [:]
        var found: [Diagnostic] = []
        let path = FieldPath("spec", "hosts")
        for declared in splits {
            guard let split = declared.object as? TrafficSplit else { continue }
            for (index, host) in split.spec.hosts.enumerated() {
                guard let owner = owners[host], owner.key != declared.key else {
                    owners[host] = declared
                    continue
                }
                let other = (owner.object as? TrafficSplit)?.spec.hosts.firstIndex(of: host) ?? 0
                let place = owner.place(of: path[other])
                let words = "host \"\(host)\" is claimed by \(owner.key) too, at \(place). Remove it from one of them"
                found.append(declared.document.diagnostic(for: path[index], words))
            }
        }
        return found
    }

    private func backendDiagnostics(_ declared: DeclaredObject) -> [Diagnostic] {
        guard let split = declared.object as? TrafficSplit else { return [] }
        var found = missingApp(split.spec.app, at: FieldPath("spec", "app"), of: declared)
        found += backendDiagnostics(split.spec.backends, split, at: FieldPath("spec", "backends"), declared)
        for (index, rule) in split.spec.rules.enumerated() {
            let path = FieldPath("spec", "rules")[index]
            found += backendDiagnostics(rule.backends, split, at: path["backends"], declared)
            for (number, match) in rule.matches.enumerated() {
                guard let region = match.region else { continue }
                found += missingRegion(region, at: path["matches"][number]["region"], of: declared)
            }
        }
        if let mirror = split.spec.mirror {
            found += backendDiagnostics(mirror, split, at: FieldPath("spec", "mirror"), declared)
        }
        return found
    }

    private func backendDiagnostics(
        _ backends: [SplitBackend],
        _ split: TrafficSplit,
        at path: FieldPath,
        _ declared: DeclaredObject
    ) -> [Diagnostic] {
        backends.enumerated().flatMap { backendDiagnostics($1, split, at: path[$0], declared) }
    }

    private func backendDiagnostics(
        _ backend: SplitBackend,
        _ split: TrafficSplit,
        at path: FieldPath,
        _ declared: DeclaredObject
    ) -> [Diagnostic] {
        var found: [Diagnostic] = []
        if let app = backend.app { found += missingApp(app, at: path["app"], of: declared) }
        if let fault = backend.revision.flatMap({ revisionFault($0, app: split.spec.app) }) {
            found.append(declared.document.diagnostic(for: path["revision"], fault))
        }
        return found
    }

    private func revisionFault(_ revision: String, app: String) -> String? {
        if revision == latestRevisionWord { return nil }
        let example = RevisionName(app: app, number: 1)
        guard let name = RevisionName(revision) else {
            return "\"\(revision)\" is no revision. Write \(latestRevisionWord) or a name such as \(example)"
        }
        guard name.app != app else { return nil }
        return "\"\(revision)\" is a revision of app \"\(name.app)\", but the split is of \"\(app)\". "
            + "Write {app: \(name.app)} for its latest, or a revision of \(app)"
    }

    /// Everything wrong between the regions.
    var regionDiagnostics: [Diagnostic] {
        var owners: [String: DeclaredObject] = [:]
        for declared in regions where owners[declared.key.name] == nil { owners[declared.key.name] = declared }
        return regions.flatMap { declared -> [Diagnostic] in
            guard let region = declared.object as? Region else { return [] }
            return aliasDiagnostics(region, declared, &owners) + fallbackDiagnostics(region, declared)
        }
    }

    /// Aliases that another region has as its name or alias; `owners` takes the others in.
    private func aliasDiagnostics(
        _ region: Region,
        _ declared: DeclaredObject,
        _ owners: inout [String: DeclaredObject]
    ) -> [Diagnostic] {
        let path = FieldPath("spec", "aliases")
        return region.spec.aliases.enumerated().compactMap { index, alias in
            let name = alias.lowercased()
            if name == RegionSpec.localName, declared.key.name != name {
                let words = "\"\(alias)\" is the region that always exists. Choose another alias"
                return declared.document.diagnostic(for: path[index], words)
            }
            guard let owner = owners[name] else {
                owners[name] = declared
                return nil
            }
            guard owner.key != declared.key else { return nil }
            let place = owner.place(of: self.path(of: name, in: owner))
            let words = "\"\(alias)\" belongs to \(owner.key) already, at \(place). Remove it from one of them"
            return declared.document.diagnostic(for: path[index], words)
        }
    }

    /// Where `declared` says that it is called `name`.
    private func path(of name: String, in declared: DeclaredObject) -> FieldPath {
        let aliases = (declared.object as? Region)?.spec.aliases ?? []
        let index = aliases.firstIndex { $0.lowercased() == name }
        return index.map { FieldPath("spec", "aliases")[$0] } ?? FieldPath("metadata", "name")
    }

    private func fallbackDiagnostics(_ region: Region, _ declared: DeclaredObject) -> [Diagnostic] {
        let own = Set(([declared.key.name] + region.spec.aliases).map { $0.lowercased() })
        return region.spec.fallback.enumerated().flatMap { index, name in
            let path = FieldPath("spec", "fallback")[index]
            guard own.contains(name.lowercased()) else { return missingRegion(name, at: path, of: declared) }
            return [declared.document.diagnostic(for: path, "a region cannot turn to itself. Remove \"\(name)\"")]
        }
    }
}

/// The word in a backend that means an app's newest ready revision.
private let latestRevisionWord = "latest"
