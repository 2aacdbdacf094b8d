// Placement: which nodes an app may run on, and how its runners are started there.
package import MeridianModel

extension World {
    /// The names of the nodes that answer and serve a region that the app may run in, in order of preference.
    package func placement(of app: App) -> [String] {
        let answering = nodeViews.filter { $0.value.report != nil }.keys.sorted()
        let preferred = app.spec.regions.preferred.compactMap { region(named: $0) }
        guard !preferred.isEmpty else { return answering }
        var placed: [String] = []
        for region in preferred {
            placed += answering.filter { serves(node: $0, region: region) && !placed.contains($0) }
        }
        return placed
    }

    /// Whether a node serves a region: a Region without nodes is served by every node, and `local` always is.
    package func serves(node: String, region: String) -> Bool {
        guard let declared = regions[region]?.object else { return region == RegionSpec.localName }
        return declared.spec.nodes.isEmpty || declared.spec.nodes.contains(node)
    }

    /// The region under which a node serves an app: the first preferred one that it serves, else `local`.
    func region(of app: App, on node: String) -> String {
        app.spec.regions.preferred.lazy.compactMap { region(named: $0) }.first { serves(node: node, region: $0) }
            ?? RegionSpec.localName
    }

    /// How runners of a built revision are started; nil while a Secret of it is missing or does not open.
    ///
    /// Values from Secrets stay sealed; the executor opens them when it hands the template to a node.
    package func runnerTemplate(of revision: Revision) -> RunnerTemplate? {
        guard let bundle = revision.status.bundle, let executable = revision.status.executable else { return nil }
        let settings = revision.spec.template
        var template = RunnerTemplate()
        template.bundle = bundle
        template.executable = executable
        template.arguments = revision.status.arguments + settings.args
        template.environment = settings.env
        for (variable, reference) in settings.secretEnv {
            let secret = secrets["\(revision.metadata.namespace)/\(reference.secret)"]?.object
            guard let secret, let sealed = secret.sealed[reference.key], !unopenable.contains(sealed) else {
                return nil
            }
            template.sealed[variable] = SealedValue(text: sealed, owner: "\(secret.key)/\(reference.key)")
        }
        template.memory = settings.resources.memory
        template.cpu = settings.resources.cpu
        template.pids = settings.resources.pids
        template.temporary = settings.resources.tmp
        template.filesWritable = settings.files.writable
        template.syscalls = settings.syscalls
        template.onDenied = settings.onDenied
        template.healthPath = settings.health.path
        template.readyTimeout = settings.health.timeout
        template.terminationGrace = settings.terminationGrace
        return template
    }
}
