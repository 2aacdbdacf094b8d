// CrossReferencesTests: what the objects of the given files say of each other.

import MeridianManifests
import Testing

@Suite("Cross references")
struct CrossReferencesTests {
    private func app(_ name: String, _ more: String = "") -> String {
        manifest("App", "spec: {source: {path: .}\(more.isEmpty ? "" : ", \(more)")}", name: name)
    }

    private func split(_ name: String, app: String, host: String) -> String {
        manifest(
            "TrafficSplit",
            "spec: {app: \(app), hosts: [\(host)], backends: [{revision: latest, weight: 100}]}",
            name: name
        )
    }

    private func all(_ texts: String...) -> [String] { problems(texts.joined(separator: "---\n")) }

    @Test("a region is known by name, by alias and without case; local always exists")
    func regions() {
        let fra = manifest("Region", "spec: {aliases: [FRA1, eu-central-1]}", name: "fra")
        #expect(all(app("a", "regions: {preferred: [FRA, fra1, EU-Central-1, local]}"), fra) == [])
        #expect(
            all(app("a", "regions: {preferred: [frb]}"), fra) == [
                "4:49: warning: spec.regions.preferred[0]: region \"frb\" is not declared in the given files: did you mean \"fra\"?"
            ]
        )
        #expect(
            all(app("a", "regions: {preferred: [Nowhere]}")) == [
                """
                4:49: warning: spec.regions.preferred[0]: region "Nowhere" is not declared in the given files. \
                Add a Region named nowhere or fix the name
                """
            ]
        )
    }

    @Test("a missing allowlist and a missing secret are warnings, a missing key too")
    func allowlistsAndSecrets() {
        let secret = manifest("Secret", "stringData: {password: x}", name: "db")
        let reference = "secretEnv: {PASSWORD: {secret: db, key: pasword}}"
        #expect(all(app("a", "syscalls: tight")).first?.contains("SyscallAllowlist \"tight\" is not declared") == true)
        #expect(all(app("a", "syscalls: tight"), manifest("SyscallAllowlist", "", name: "tight")) == [])
        #expect(all(app("a", reference)).first?.contains("Secret \"db\" is not declared in the given files") == true)
        #expect(
            all(app("a", reference), secret) == [
                "4:67: warning: spec.secretEnv.PASSWORD.key: Secret \"db\" has no key \"pasword\": did you mean \"password\"?"
            ]
        )
    }

    @Test("two splits claiming one host are an error at the later one, which names the other")
    func hosts() {
        let found = all(
            app("a"),
            split("one", app: "a", host: "x.localhost"),
            split("two", app: "a", host: "x.localhost")
        )
        #expect(
            found == [
                """
                14:24: spec.hosts[0]: host "x.localhost" is claimed by TrafficSplit/default/one too, at m.yaml:9:24. \
                Remove it from one of them
                """
            ]
        )
    }

    @Test("a split of an unknown app is a warning with the app that was probably meant")
    func splitApps() {
        #expect(
            all(app("hello"), split("s", app: "helo", host: "x.localhost")) == [
                "9:13: warning: spec.app: app \"helo\" is not declared in the given files: did you mean \"hello\"?"
            ]
        )
    }

    @Test("an alias belongs to one region, and a fallback must be known")
    func aliases() {
        let fra = manifest("Region", "spec: {aliases: [eu]}", name: "fra")
        let ams = manifest("Region", "spec: {aliases: [EU, fra], fallback: [lhr]}", name: "ams")
        #expect(
            all(fra, ams) == [
                "9:18: spec.aliases[0]: \"EU\" belongs to Region/fra already, at m.yaml:4:18. Remove it from one of them",
                "9:22: spec.aliases[1]: \"fra\" belongs to Region/fra already, at m.yaml:3:18. Remove it from one of them",
                "9:39: warning: spec.fallback[0]: region \"lhr\" is not declared in the given files. Add a Region named lhr or fix the name",
            ]
        )
    }

    @Test("an object declared twice is told at the second place, also where one of the two is broken")
    func twins() {
        #expect(
            all(app("a"), app("a", "nope: 1")).map { $0.prefix(80) } == [
                "8:18: metadata.name: App/default/a is declared twice, first at m.yaml:3:18. Remo",
                "9:27: unknown field \"spec.nope\". Known here: args, build, env, files, health, re".prefix(80),
            ]
        )
    }

    @Test("a broken object still counts as declared")
    func brokenTargets() {
        let broken = manifest("SyscallAllowlist", "spec: {grups: []}", name: "tight")
        #expect(all(app("a", "syscalls: tight"), broken).count == 1)
    }
}
