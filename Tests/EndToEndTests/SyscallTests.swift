// SyscallTests: what a person sees of syscalls that an app was denied.
import Foundation
import Testing

@Suite("Syscalls, from manifest to words", .enabled(if: Programs.missing == nil, "needs root and the built program"))
struct SyscallTests {
    @Test("a denied syscall of a serving app is told on its Revision and as an event", .timeLimit(.minutes(5)))
    func told() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        let applied = try platform.apply(Fixtures.app("curious"), in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        #expect(try platform.get("curious.default.localhost", "/keyctl").body.contains("keyctl=1"))
        let words = "blocked syscall keyctl: add to the SyscallAllowlist web-default `allow: [keyctl]`"
        let isTold = eventually(within: 20) {
            (try? platform.meridian("describe", "revision", "curious-00001").all.contains(words)) == true
        }
        let described = try platform.meridian("describe", "revision", "curious-00001").all
        #expect(isTold, "\(described)\n\(platform.log)")
        let events = try platform.meridian("events").all
        #expect(events.contains("SyscallDenied") && events.contains("keyctl"), "\(events)")
        #expect(try platform.meridian("logs", "curious").all.contains("blocked syscall keyctl"))
        let node = try platform.meridian("describe", "node", "local").all
        #expect(node.contains("denied syscalls are told"), "\(node)")
    }

    @Test("the allowlist that is learned from an app is enough for it, and no more", .timeLimit(.minutes(5)))
    func learned() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        let applied = try platform.apply(Fixtures.app("pupil"), in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        let learned = try platform.meridian("syscalls", "learn", "pupil", "--for", "2s", "--url", "/sleep/1")
        try #require(learned.code == 0, "\(learned.all)\n\(platform.log)")
        #expect(learned.output.contains("# process: ") && learned.output.contains("- socket\n"), "\(learned.output)")
        let before = "  build: {preset: c}"
        let app = Fixtures.app("pupil").replacingOccurrences(of: before, with: "  syscalls: pupil\n" + before)
        let manifest = learned.output + "---\n" + app
        #expect(try platform.meridian("plan", "-f", "-", input: learned.output).code != 1)
        let tightened = try platform.apply(manifest, in: directory)
        try #require(tightened.code == 0, "\(tightened.all)\n\(platform.log)")
        #expect(try platform.get("pupil.default.localhost", "/sleep/1").status == 200)
        let described = try platform.meridian("describe", "revision", "pupil-00002").all
        #expect(!described.contains("SyscallsDenied"), "\(described)")
        let plan = try platform.meridian("plan", "-f", "-", input: Fixtures.loosened)
        #expect(plan.output.contains("syscalls of pupil: +"), "\(plan.all)")
    }
}
