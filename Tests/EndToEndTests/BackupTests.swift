// BackupTests: a platform that serves is backed up, goes on, is lost, and serves again from the backup.
import Foundation
import Testing

@Suite("Backup and restore", .enabled(if: Programs.missing == nil, "needs root and the built program"))
struct BackupTests {
    @Test(
        "a platform restored from a backup serves what it served, and tells old watchers to list again",
        .timeLimit(.minutes(10))
    )
    func restore() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory(word: "saved")
        let secret = """
            ---
            apiVersion: meridian.dev/v1
            kind: Secret
            metadata: {name: token}
            stringData: {TOKEN: "0123456789"}

            """
        let manifest = Fixtures.app("kept", "secretEnv: {TOKEN: {secret: token, key: TOKEN}}") + secret
        let applied = try platform.apply(manifest, in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        #expect(try platform.get("kept.default.localhost").body.hasPrefix("word= source=saved secret=10 "))

        let files = try ScratchDirectory()
        let backup = files.path + "/backup.tar"
        let made = try platform.meridian("backup", backup, "--with-keys")
        try #require(made.code == 0, "\(made.all)\n\(platform.log)")
        #expect(made.errors.contains("the keys are in it"))
        let bare = try platform.meridian("backup", files.path + "/bare.tar")
        #expect(bare.code == 0 && bare.errors.contains("the keys are not in it"), "\(bare.all)")

        let later = try platform.apply(Fixtures.app("later"), in: directory)
        #expect(later.code == 0, "\(later.all)")
        let known = try resourceVersion(of: platform)
        platform.stop()

        let place = files.path + "/data"
        let restored = try Command.run(Programs.meridian, ["restore", backup, "--data", place])
        try #require(restored.code == 0, "\(restored.all)")
        let mode = try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let refused = try Command.run(Programs.meridian, ["restore", backup, "--data", place])
        #expect(refused.code == 1 && refused.errors.contains("is not empty"), "\(refused.all)")
        let closed = try Command.run(
            Programs.meridian,
            ["restore", files.path + "/bare.tar", "--data", place + "-bare"]
        )
        #expect(closed.code == 0 && closed.errors.contains("default/token"), "\(closed.all)")

        let again = try Platform(data: ScratchDirectory(adopting: place))
        // A new node has no table to serve by before the loop has looked once.
        let serves = try eventually(within: 30) {
            try again.get("kept.default.localhost").body.hasPrefix("word= source=saved secret=10 ")
        }
        #expect(serves, "\(again.log)")
        let apps = try again.meridian("get", "apps", "-o", "name")
        #expect(apps.output == "app/kept\n", "\(apps.all)")
        let watch = try Command.run(
            "/usr/bin/env",
            ["curl", "-s", "\(again.api)/apis/meridian.dev/v1/apps?watch=1&resourceVersion=\(known)"],
            seconds: 20
        )
        #expect(watch.output.contains("\"code\":410"), "\(watch.all)")
        again.stop()
    }

    private func resourceVersion(of platform: Platform) throws -> Int {
        let list = try Command.run("/usr/bin/env", ["curl", "-s", "\(platform.api)/apis/meridian.dev/v1/apps"])
        let pattern = /"resourceVersion":"([0-9]+)"/
        return try #require(list.output.matches(of: pattern).compactMap { Int($0.1) }.max(), "\(list.all)")
    }
}
