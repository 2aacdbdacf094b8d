// ProtobufBody: bodies in Kubernetes' protobuf envelope, which kubectl sends for the kinds that it knows itself.
internal import MeridianModel

/// The media type of bodies in the envelope.
let protobufMediaType = "application/vnd.kubernetes.protobuf"

/// The JSON form of a body in the envelope: `k8s\0`, then a message that names the kind and holds the object's bytes.
///
/// kubectl 1.37 sends these for built-in kinds and does not turn to JSON when it is refused.
func protobufBody(_ bytes: [UInt8]) throws(APIFailure) -> JSONValue {
    let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]
    guard bytes.starts(with: magic), let envelope = protobufFields(bytes[magic.count...]) else {
        throw .badRequest("the body is not in Kubernetes' protobuf envelope; send it as application/json")
    }
    var raw: ArraySlice<UInt8> = []
    var types = JSONObject()
    for case (let number, .bytes(let field)) in envelope {
        if number == 1 { types = ProtobufMessage.typeMeta.json(field) ?? JSONObject() }
        if number == 2 { raw = field }
    }
    let kind = types["kind"]?.string ?? ""
    guard let message = ProtobufMessage.kinds[kind] else {
        throw .mediaType(
            "a body of kind \"\(kind.prefix(80))\" is not read as protobuf here; send it as application/json"
        )
    }
    guard let content = message.json(raw) else {
        throw .badRequest("the body is not a protobuf message of kind \(kind); send it as application/json")
    }
    for member in content.members where types[member.key] == nil { types[member.key] = member.value }
    return .object(types)
}

extension ProtobufMessage {
    /// The kinds that are read, by name; the field numbers are those of Kubernetes' generated.proto files.
    fileprivate static let kinds: [String: ProtobufMessage] = [
        "Namespace": ProtobufMessage([
            1: ("metadata", .message(objectMeta)), 2: ("spec", .message(ProtobufMessage([1: ("finalizers", .texts)]))),
        ]),
        "Secret": ProtobufMessage([
            1: ("metadata", .message(objectMeta)), 2: ("data", .bytesMap), 3: ("type", .text),
            4: ("stringData", .textMap),
        ]),
        "DeleteOptions": ProtobufMessage([
            1: ("gracePeriodSeconds", .number),
            2: ("preconditions", .message(ProtobufMessage([1: ("uid", .text), 2: ("resourceVersion", .text)]))),
            3: ("orphanDependents", .flag), 4: ("propagationPolicy", .text), 5: ("dryRun", .texts),
        ]),
        "SelfSubjectAccessReview": ProtobufMessage([2: ("spec", .message(accessSpec))]),
        "SelfSubjectRulesReview": ProtobufMessage([
            2: ("spec", .message(ProtobufMessage([1: ("namespace", .text)])))
        ]),
        "SelfSubjectReview": ProtobufMessage([:]),
    ]

    fileprivate static let typeMeta = ProtobufMessage([1: ("apiVersion", .text), 2: ("kind", .text)])

    private static let objectMeta = ProtobufMessage([
        1: ("name", .text), 2: ("generateName", .text), 3: ("namespace", .text), 5: ("uid", .text),
        6: ("resourceVersion", .text), 7: ("generation", .number), 8: ("creationTimestamp", .time),
        11: ("labels", .textMap), 12: ("annotations", .textMap), 13: ("ownerReferences", .messages(ownerReference)),
        14: ("finalizers", .texts),
    ])

    private static let ownerReference = ProtobufMessage([
        1: ("kind", .text), 3: ("name", .text), 4: ("uid", .text), 5: ("apiVersion", .text), 6: ("controller", .flag),
        7: ("blockOwnerDeletion", .flag),
    ])

    private static let accessSpec = ProtobufMessage([
        1: (
            "resourceAttributes",
            .message(
                ProtobufMessage([
                    1: ("namespace", .text), 2: ("verb", .text), 3: ("group", .text), 4: ("version", .text),
                    5: ("resource", .text), 6: ("subresource", .text), 7: ("name", .text),
                ])
            )
        ),
        2: ("nonResourceAttributes", .message(ProtobufMessage([1: ("path", .text), 2: ("verb", .text)]))),
    ])
}
