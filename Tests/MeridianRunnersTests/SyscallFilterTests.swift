// SyscallFilterTests: allowlists compile, small and once, and bad names are named.
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
        for denial in [SyscallFilter.Denial.errno, .kill, .told] {
            _ = try SyscallFilter.compile(syscallNames, denial: denial)
        }
    }

    @Test("a cached filter is the one compiled")
    func cached() throws {
        let cache = SyscallFilterCache()
        let first = try cache.filter(["read", "write"], denial: .kill)
        #expect(try cache.filter(["read", "write"], denial: .kill) == first)
        #expect(try cache.filter(["read", "write"], denial: .errno) != first)
    }
}
