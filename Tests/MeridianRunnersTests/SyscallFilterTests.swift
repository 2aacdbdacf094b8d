// SyscallFilterTests: allowlists compile, small and once, and bad names are named.
import CZygote
import MeridianModel
import Testing

@testable import MeridianRunners

@Suite("Compiling a syscall allowlist")
struct SyscallFilterTests {
    @Test("the default profile has 207 names, all known, none twice")
    func defaultProfile() {
        let names = SyscallGroup.allCases.flatMap(\.syscalls)
        #expect(names.count == 207)
        #expect(Set(names).count == names.count)
        #expect(Set(names).isSubset(of: Set(syscallNames)))
    }

    @Test("the default profile fits the kernel's 4096 instructions with room")
    func size() throws {
        let filter = try SyscallFilter.compile(SyscallGroup.allCases.flatMap(\.syscalls), denial: .errno)
        #expect(filter.instructionCount > 200)
        #expect(filter.instructionCount < 2048)
    }

    @Test("a misspelt name is refused with the one that was meant")
    func misspelt() {
        #expect(throws: SyscallFilterError.unknownName("opeanat", suggestion: "openat")) {
            try SyscallFilter.compile(["opeanat"], denial: .errno)
        }
    }

    @Test("every name that allowlists may hold compiles, for every denial")
    func allNames() throws {
        for denial in [SyscallFilter.Denial.told, .errno, .kill, .recorded] {
            _ = try SyscallFilter.compile(syscallNames, denial: denial)
        }
    }

    @Test("explanations have the kernel's numbers")
    func numbers() {
        let wrong = SyscallFacts.all.values.filter { syscallNumber($0.name) != $0.number }.map(\.name)
        #expect(wrong == [])
    }

    @Test("while it is learned a program may make every call but those of high risk")
    func learning() {
        for (name, facts) in SyscallFacts.all {
            let answer = DeniedAnswers.learning.bytes[Int(facts.number)]
            #expect((answer == UInt8(MZ_ANSWER_CONTINUE.rawValue)) == (facts.risk != .high), "\(name)")
        }
        #expect(!DeniedAnswers(.errno).bytes.contains(UInt8(MZ_ANSWER_CONTINUE.rawValue)))
        #expect(!DeniedAnswers(.kill).bytes.contains { $0 != UInt8(MZ_ANSWER_KILL.rawValue) })
    }

    @Test("a cached filter is the one compiled")
    func cached() throws {
        let cache = SyscallFilterCache()
        let first = try cache.filter(["read", "write"], denial: .kill)
        #expect(try cache.filter(["read", "write"], denial: .kill) == first)
        #expect(try cache.filter(["read", "write"], denial: .errno) != first)
    }
}
