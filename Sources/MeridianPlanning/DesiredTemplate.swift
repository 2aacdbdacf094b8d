// DesiredTemplate: what an app's newest revision should be made of.
package import MeridianModel

/// What the newest revision of an app should be made of, or what is missing to say it.
package enum DesiredTemplate: Sendable, Equatable {
    case template(RevisionTemplate)
    /// A condition's reason and message.
    case blocked(reason: String, message: String)
}

extension World {
    /// The template of an app's settings with its references resolved.
    func desiredTemplate(of app: App, _ allowlists: Allowlists) -> DesiredTemplate {
        let spec = app.spec
        let place = app.key
        guard let allowlist = allowlists.named[spec.syscalls] else {
            return .blocked(
                reason: "SyscallAllowlistMissing",
                message:
                    "\(place) spec.syscalls: there is no SyscallAllowlist \"\(spec.syscalls)\". Apply one or name another"
            )
        }
        if let missing = missingSecret(of: app) {
            return .blocked(reason: "SecretMissing", message: "\(place) spec.secretEnv: \(missing)")
        }
        if let name = spec.regions.preferred.first(where: { region(named: $0) == nil }) {
            return .blocked(
                reason: "RegionMissing",
                message: "\(place) spec.regions.preferred: there is no Region \"\(name)\". Apply one or fix the name"
            )
        }
        if spec.source.executable == nil, source(of: app) == nil {
            if spec.source.git != nil {
                let (reason, message) =
                    gitTrouble(of: app) ?? ("SourcePending", "the repository is being looked at")
                return .blocked(reason: reason, message: "\(place) spec.source.git: \(message)")
            }
            let advice = "the source was not uploaded. Apply the manifest with `meridian apply -f`, which uploads it"
            return .blocked(reason: "SourceMissing", message: "\(place) spec.source: \(advice)")
        }
        return .template(template(of: app, allowlist: allowlist))
    }

    private func template(of app: App, allowlist: Allowlists.Entry) -> RevisionTemplate {
        let spec = app.spec
        var template = RevisionTemplate()
        template.source = spec.source.executable == nil ? source(of: app) : nil
        template.executable = spec.source.executable
        template.build = spec.build
        template.args = spec.args
        template.env = spec.env
        template.secretEnv = spec.secretEnv
        template.resources = spec.resources
        template.files = spec.files
        template.health = spec.health
        template.terminationGrace = spec.terminationGrace
        template.allowlist = spec.syscalls
        template.syscalls = allowlist.syscalls
        template.onDenied = allowlist.onDenied
        template.rebuild = app.metadata.annotations[OwnAnnotation.rebuild].flatMap(Int.init) ?? 0
        return template
    }

    /// The packed source: the one that a client uploaded, else the one that the app's repository led to.
    private func source(of app: App) -> Digest? { app.spec.source.digest ?? gitTree(of: app)?.source }

    private func missingSecret(of app: App) -> String? {
        for (variable, reference) in app.spec.secretEnv.sorted(by: { $0.key < $1.key }) {
            guard let secret = secrets["\(app.metadata.namespace)/\(reference.secret)"] else {
                return "\(variable): there is no Secret \"\(reference.secret)\". Apply it"
            }
            guard let sealed = secret.object.sealed[reference.key] else {
                return
                    "\(variable): Secret \"\(reference.secret)\" has no key \"\(reference.key)\". Add it or fix the name"
            }
            guard !unopenable.contains(sealed) else {
                return
                    "\(variable): Secret \"\(reference.secret)\", key \"\(reference.key)\" does not open. Apply it again"
            }
        }
        return nil
    }

    /// The name of the region that `word` names, itself or by alias, compared without case; `local` always exists.
    package func region(named word: String) -> String? {
        let word = word.lowercased()
        if word == RegionSpec.localName { return word }
        for region in regions {
            let names = [region.object.metadata.name] + region.object.spec.aliases
            if names.contains(where: { $0.lowercased() == word }) { return region.object.metadata.name }
        }
        return nil
    }
}

/// The allowlists by name with their syscalls worked out, once for all apps of a plan.
struct Allowlists {
    /// What a revision takes from its allowlist.
    struct Entry: Sendable {
        let syscalls: [String]
        let onDenied: DeniedSyscallAction

        init(_ spec: SyscallAllowlistSpec) {
            syscalls = spec.syscalls
            onDenied = spec.onDenied
        }
    }

    /// `web-default` exists although nobody declared it; one that cannot be read is missing, not the built-in one.
    private(set) var named: [String: Entry] = [:]

    private static let webDefault = Entry(.webDefault)

    init(_ world: World) {
        for stored in world.allowlists { named[stored.object.metadata.name] = Entry(stored.object.spec) }
        let builtIn = SyscallAllowlistSpec.defaultName
        let key = ObjectKey(kind: SyscallAllowlistSpec.kind, name: builtIn)
        if named[builtIn] == nil, !world.unreadable.contains(key) { named[builtIn] = Self.webDefault }
    }
}
