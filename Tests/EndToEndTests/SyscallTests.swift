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
}
