// ToolchainTests: the apps in manifests/toolchains, where their toolchains are.
import Foundation
import Testing

@Suite("Toolchains", .enabled(if: Programs.missing == nil, "needs root and the built program"))
struct ToolchainTests {
    @Test(
        "an app of each toolchain is built and answers, or says plainly what is missing",
        .timeLimit(.minutes(15)),
        arguments: [("go", "hello-go"), ("cargo", "hello-rust"), ("dart", "hello-dart")]
    )
    func toolchain(program: String, app: String) throws {
        let platform = try Platform()
        let applied = try platform.meridian(
            "apply",
            "-f",
            "\(Programs.root)/manifests/toolchains/\(app).yaml",
            "--wait=10m",
            seconds: 700
        )
        guard Command.find(program) != nil else {
            print("without \(program) on PATH only the refusal is tested")
            #expect(applied.code == 1)
            #expect(applied.all.contains("ToolchainMissing"), "\(applied.all)")
            #expect(applied.all.contains(program), "\(applied.all)")
            return
        }
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        #expect(try platform.get("\(app).default.localhost").status == 200)
    }
}
