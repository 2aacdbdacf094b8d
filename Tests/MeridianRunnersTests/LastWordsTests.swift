// LastWordsTests: the output of programs that end at once, which is all that there is to find out why.
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("The last words of a program", .enabled(if: canSandbox), .serialized)
struct LastWordsTests {
    @Test("are kept although it ends in the moment in which it is started", arguments: [true, false])
    func immediate(isParked: Bool) async throws {
        try await Lab.with { lab in
            for round in 1...40 {
                if isParked { try await lab.park(1) }
                let handle = try await lab.start(["deny", "0"])
                let output = try await lab.finish(handle).output
                #expect(output.count == round && output.allSatisfy { $0 == "failed 0 of 0" }, "\(output.count)")
            }
        }
    }
}
