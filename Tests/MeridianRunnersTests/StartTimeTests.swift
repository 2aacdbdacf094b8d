// StartTimeTests: prints how long a cold start takes; nothing fails on a slow machine.
import MeridianModel
import Testing

@testable import MeridianRunners

@Suite("The time of a cold start", .enabled(if: canSandbox), .serialized)
struct StartTimeTests {
    @Test("is printed as the median of thirty")
    func median() async throws {
        try await Lab.with { lab in
            try await lab.runners.warmUp()
            var times: [Duration] = []
            for number in 0..<30 {
                let begin = ContinuousClock.now
                let handle = try await lab.start(["serve"], id: "r\(number)")
                try await lab.runners.waitReady(handle)
                times.append(ContinuousClock.now - begin)
                await lab.runners.stop(handle, grace: .zero)
            }
            print("cold start, median of 30: \(times.sorted()[15])")
        }
    }
}
