// SealCommandTests: `meridian seal` prints manifests that hold no plain value and open in their place alone.
import MeridianContent
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian seal")
struct SealCommandTests {
    private static let secret = """
        apiVersion: meridian.dev/v1
        kind: Secret
        metadata: {name: db, labels: {team: shop}}
        stringData: {PASSWORD: hunter2-hunter2, USER: "anna"}

        """

    @Test("seals every value for its namespace, name and key, with the server's key or one from a file")
    func seals() async throws {
        let folder = try TestFolder(["secret.yaml": Self.secret])
        let pair = try PrivateSealingKey()
        let platform = FakePlatform()
        platform.update { $0.sealKey = pair.publicKey }
        let printed = await CommandRun(["seal", "--print-key"], on: platform)
        #expect(printed.code == 0 && printed.output == pair.publicKey.pem)
        try folder.write("seal.pub", printed.output)

        let online = await CommandRun(["seal", "-f", "\(folder.path)/secret.yaml", "-n", "shop"], on: platform)
        let key = "\(folder.path)/seal.pub"
        let offline = await CommandRun(["seal", "-f", "\(folder.path)/secret.yaml", "-n", "shop", "--key", key])
        for run in [online, offline] {
            #expect(run.code == 0, "\(run.errors)")
            #expect(!run.output.contains("hunter2") && !run.output.contains("stringData"))
            try folder.write("sealed.yaml", run.output)
            let again = await CommandRun(
                ["seal", "-f", "\(folder.path)/sealed.yaml", "-n", "shop", "--key", key]
            )
            #expect(again.code == 1 && again.errors.contains("has no stringData"), "\(again.errors)")
            let json = await CommandRun(["validate", "-f", "\(folder.path)/sealed.yaml"])
            #expect(json.code == 0, "\(json.output + json.errors)")
            let texts = run.output.split(separator: "\n").filter { $0.contains("sealed:x25519:") }.map {
                String($0.split(separator: " ").last ?? "").filter { $0 != "\"" }
            }
            #expect(try pair.open(texts[0], for: "Secret/shop/db/PASSWORD") == Array("hunter2-hunter2".utf8))
            #expect(try pair.open(texts[1], for: "Secret/shop/db/USER") == Array("anna".utf8))
            #expect(run.output.contains("namespace: shop") && run.output.contains("team: shop"))
        }
    }

    @Test("values that are sealed already stay as they are beside new ones")
    func mixed() async throws {
        let pair = try PrivateSealingKey()
        let old = try pair.publicKey.seal(Array("x".utf8), for: "Secret/default/db/OLD")
        let folder = try TestFolder(["s.yaml": Self.secret + "sealed: {OLD: \"\(old)\"}\n"])
        let platform = FakePlatform()
        platform.update { $0.sealKey = pair.publicKey }
        let run = await CommandRun(["seal", "-f", "\(folder.path)/s.yaml", "-o", "json"], on: platform)
        let json = try JSONValue(parsing: run.output)
        #expect(json["sealed"]?["OLD"]?.string == old)
        #expect(json["sealed"]?.object?.count == 3)
    }

    @Test("rotates on request and says which key is used from now on")
    func rotates() async throws {
        let platform = FakePlatform()
        let run = await CommandRun(["seal", "--rotate"], on: platform)
        #expect(run.code == 0)
        #expect(try PublicSealingKey(pem: run.output).id == String(run.errors.split(separator: " ")[6]))
    }

    @Test("refuses what is no Secret, what has nothing to seal, and a key file that holds none")
    func refuses() async throws {
        let folder = try TestFolder(["s.yaml": Self.secret, "key": "no key"])
        try folder.write(
            "r.yaml",
            "apiVersion: meridian.dev/v1\nkind: Region\nmetadata: {name: fra}\nspec: {location: {latitude: 1, longitude: 2}}\n"
        )
        let region = await CommandRun(["seal", "-f", "\(folder.path)/r.yaml", "--key", "\(folder.path)/key"])
        #expect(region.code == 1 && region.errors.contains("is no Secret"), "\(region.errors)")
        let key = await CommandRun(["seal", "-f", "\(folder.path)/s.yaml", "--key", "\(folder.path)/key"])
        #expect(key.code == 1 && key.errors.contains("no public key for sealing"), "\(key.errors)")
        #expect(await CommandRun(["seal"]).code == 64)
        #expect(await CommandRun(["seal", "--print-key", "--rotate"]).code == 64)
    }
}
