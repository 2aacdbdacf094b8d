// OutgoingObjects: the objects of the manifests as they are sent: checked, in order, with their sources' digests.

internal import MeridianManifests
internal import MeridianMerging
internal import MeridianModel

/// One object that is sent.
struct OutgoingObject: Sendable {
    let declared: DeclaredObject
    /// The object with the digest of its packed source.
    let json: JSONValue

    var key: ObjectKey { declared.key }
}

/// The objects in the order in which they are applied, and the sources that they need.
struct OutgoingObjects {
    let objects: [OutgoingObject]
    let sources: PackedSources

    /// Orders `declared`, packs the sources of the Apps among them, and labels all with their owner where there is one;
    /// nothing is sent yet.
    init(
        _ declared: [DeclaredObject],
        _ context: CommandContext,
        owner: OwnerOptions? = nil
    ) throws(CommandFailure) {
        let sources = try PackedSources(context)
        var objects: [OutgoingObject] = []
        for object in Self.ordered(declared) {
            let json = try sources.withDigest(object)
            objects.append(OutgoingObject(declared: object, json: owner?.labelled(json) ?? json))
        }
        self.objects = objects
        self.sources = sources
    }

    /// The kinds' order backwards: what refers to others goes first.
    static func deletionOrder(_ declared: [DeclaredObject]) -> [DeclaredObject] {
        let groups = Dictionary(grouping: declared) { applyRank(ofKind: $0.kind.name) }
        return groups.sorted { $0.key > $1.key }.flatMap(\.value)
    }

    /// By rank of their kind, otherwise as they were declared.
    private static func ordered(_ declared: [DeclaredObject]) -> [DeclaredObject] {
        let groups = Dictionary(grouping: declared) { applyRank(ofKind: $0.kind.name) }
        return groups.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    /// Uploads every source that the server lacks.
    func uploadSources(to api: any ControlPlaneAPI) async throws {
        for source in sources.all { try await api.upload(source.digest, file: source.file) }
    }
}

extension JSONValue {
    /// This object with the plain values of a Secret hidden, for people to see.
    var hidingSecrets: JSONValue {
        guard self["kind"]?.string == Secret.kind, case .object(var secret) = self,
            case .object(let values)? = secret["stringData"]
        else { return self }
        let hidden = values.members.map { JSONObject.Member(key: $0.key, value: .string(hiddenValueText)) }
        secret["stringData"] = .object(JSONObject(hidden))
        return .object(secret)
    }
}
