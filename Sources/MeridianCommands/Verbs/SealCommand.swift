// SealCommand: `meridian seal`: a Secret's values in a form that may stand in Git.

internal import ArgumentParser
internal import MeridianContent
internal import MeridianManifests
internal import MeridianModel
internal import MeridianPorts

struct SealCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Print Secrets with their values sealed, fit for Git.",
        discussion: """
            Each value of stringData is sealed with the platform's public key, for the one namespace, name and key that \
            it stands under: copied elsewhere it does not open. Only the platform opens it. Anyone can seal, without a \
            server too: --key names a file that --print-key wrote. After --rotate another key is sealed with; what was \
            sealed before goes on opening.
            """
    )

    @OptionGroup var manifests: ManifestOptions

    @Option(help: ArgumentHelp("A file with the platform's public key; no server is asked.", valueName: "file"))
    var key: String?

    @Flag(help: "Print the platform's public key and do nothing else.") var printKey = false
    @Flag(help: "Have the platform make another key pair and print its public key; for admins.") var rotate = false

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print.", valueName: "yaml|json"))
    var output: ExportCommand.Format = .yaml

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    /// A public key takes some hundred bytes.
    private static let keyFileBytesMax = 4096

    func validate() throws {
        guard !printKey, !rotate else {
            guard manifests.files.isEmpty, key == nil, printKey != rotate else {
                throw ValidationError("--print-key and --rotate stand alone; leave out -f, --key and the other one.")
            }
            return
        }
        try manifests.requireFiles()
    }

    func execute(_ context: CommandContext) async throws -> Int32 {
        if printKey || rotate {
            let answer = try await connection.withServer(context) { api in
                rotate ? try await api.rotateSealKey() : try await api.sealKey()
            }
            let key = try Self.publicKey(answer)
            context.output.write(key.pem)
            if rotate { context.errors.writeLine("values are sealed with the key \(key.id) from now on") }
            return CommandExitCode.success
        }
        let secrets = try secrets(context)
        let key = try await publicKey(context)
        let sealed = try secrets.map { try Self.sealed($0, with: key) }
        context.output.write((output == .yaml ? DocumentFormat.yaml : .json).text(sealed))
        return CommandExitCode.success
    }

    /// The Secrets in the files, of which at least one value is to be sealed.
    private func secrets(_ context: CommandContext) throws -> [DeclaredObject] {
        let objects = try manifests.objects(context, namespace: namespace.namespace)
        for object in objects where object.kind.name != Secret.kind {
            throw CommandFailure(
                object.place(of: FieldPath()),
                "\(object.reference) is no Secret",
                next: "Only Secrets are sealed; keep them in a file of their own"
            )
        }
        for object in objects where (object.json["stringData"]?.object?.members ?? []).isEmpty {
            throw CommandFailure(
                object.place(of: FieldPath()),
                "\(object.reference) has no stringData",
                next: "Write the plain values there; they are sealed, and the file goes nowhere"
            )
        }
        return objects
    }

    private func publicKey(_ context: CommandContext) async throws -> PublicSealingKey {
        guard let key else {
            return try Self.publicKey(try await connection.withServer(context) { api in try await api.sealKey() })
        }
        let bytes = try DurableFile.read(key, atMost: Self.keyFileBytesMax)
        do throws(ContentError) {
            return try PublicSealingKey(pem: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw CommandFailure(key, error.message)
        }
    }

    private static func publicKey(_ answer: JSONValue) throws -> PublicSealingKey {
        try PublicSealingKey(pem: answer["publicKey"]?.string ?? "")
    }

    /// The Secret as a manifest without plain values: those that are sealed already stay as they are.
    private static func sealed(_ secret: DeclaredObject, with key: PublicSealingKey) throws -> JSONValue {
        guard case .object(var object) = exported(secret.json, kind: secret.kind) else { return secret.json }
        var sealed = object["sealed"]?.object ?? JSONObject()
        for member in secret.json["stringData"]?.object?.members ?? [] {
            let owner = secretOwner(secret.key, key: member.key)
            sealed[member.key] = .string(try key.seal(Array((member.value.string ?? "").utf8), for: owner))
        }
        object["stringData"] = nil
        object["sealed"] = .object(sealed)
        return .object(object)
    }
}
