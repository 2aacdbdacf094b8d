// SealedSecretTests: a Secret from Git's form to a program's environment, over a rotation and a restore; and who did it.
import Foundation
import Testing

@Suite("Sealed Secrets and the audit log", .enabled(if: Programs.missing == nil, "needs root and the built program"))
struct SealedSecretTests {
    @Test(
        "a sealed value reaches the program alone, outlives a rotation and a restore, and is in the audit log",
        .timeLimit(.minutes(10))
    )
    func sealed() throws {
        let platform = try Platform()
        let files = try ScratchDirectory()
        let plain = files.path + "/secret.yaml"
        try """
        apiVersion: meridian.dev/v1
        kind: Secret
        metadata: {name: vault}
        stringData: {token: swordfish-77}
        """.write(toFile: plain, atomically: true, encoding: .utf8)

        let key = try platform.meridian("seal", "--print-key")
        #expect(key.output.hasPrefix("-----BEGIN PUBLIC KEY-----"), "\(key.all)")
        try key.output.write(toFile: files.path + "/seal.pub", atomically: true, encoding: .utf8)
        let sealed = try Command.run(Programs.meridian, ["seal", "-f", plain, "--key", files.path + "/seal.pub"])
        try #require(sealed.code == 0 && !sealed.output.contains("swordfish"), "\(sealed.all)")
        let place = files.path + "/sealed.yaml"
        try sealed.output.write(toFile: place, atomically: true, encoding: .utf8)
        #expect(try platform.meridian("apply", "-f", place).code == 0)

        let directory = try Fixtures.serverDirectory()
        let app = try platform.apply(
            Fixtures.app("keeper", "secretEnv: {TOKEN: {secret: vault, key: token}}"),
            in: directory
        )
        try #require(app.code == 0, "\(app.all)\n\(platform.log)")
        #expect(try platform.get("keeper.default.localhost").body.contains("secret=12"))

        let rotated = try platform.meridian("seal", "--rotate")
        #expect(rotated.code == 0 && rotated.output != key.output, "\(rotated.all)")
        let again = try platform.meridian("apply", "-f", place)
        #expect(again.output == "secret/vault unchanged\n", "\(again.all)")
        #expect(try platform.meridian("diff", "-f", place).code == 0)
        let copied = try platform.meridian(
            "apply",
            "-f",
            "-",
            input: sealed.output.replacingOccurrences(of: "name: vault", with: "name: copy")
        )
        #expect(copied.code == 1 && copied.all.contains("sealed for another namespace, name or key"), "\(copied.all)")

        let audit = try platform.meridian("audit", "--kind", "secret", "--name", "vault")
        #expect(
            audit.output.contains("meridian:local") && audit.output.contains("default/secret/vault"),
            "\(audit.all)"
        )
        let loop = try platform.meridian("audit", "--who", "system:loop", "--since", "1h")
        #expect(loop.output.contains("default/revision/keeper-00001"), "\(loop.all)")
        let whole = try platform.meridian("audit", "-o", "json")
        #expect(whole.output.contains("/meridian/v1/seal-key") && !whole.output.contains("swordfish"), "\(whole.all)")

        let backup = files.path + "/backup.tar"
        #expect(try platform.meridian("backup", backup).code == 0)
        let sealingKey = files.path + "/sealing.key"
        try FileManager.default.copyItem(atPath: platform.data.path + "/keys/sealing.key", toPath: sealingKey)
        platform.stop()
        let restored = try Command.run(
            Programs.meridian,
            ["restore", backup, "--data", files.path + "/data", "--sealing-key", sealingKey]
        )
        #expect(restored.code == 0 && !restored.errors.contains("no key here opens"), "\(restored.all)")
        let other = try Platform(data: ScratchDirectory(adopting: files.path + "/data"))
        let serves = try eventually(within: 30) {
            try other.get("keeper.default.localhost").body.contains("secret=12")
        }
        #expect(serves, "\(other.log)")
        other.stop()
    }
}
