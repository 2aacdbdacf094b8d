// APIDocuments: the descriptions of the API, made once and told apart by their content.
internal import MeridianModel

/// One document as it is sent.
struct APIDocument: Sendable {
    let type: String
    let bytes: [UInt8]
    /// Changes with the content: the ETag, and the `hash` of the document's address.
    let tag: String

    init(_ type: String, _ bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
        tag = contentTag(bytes)
    }
}

/// The documents of one server.
struct APIDocuments: Sendable {
    /// OpenAPI 2.0, as protobuf only.
    let second: APIDocument
    /// The list of OpenAPI 3.0 documents with their addresses.
    let index: APIDocument
    /// OpenAPI 3.0 by group; the core group's is under the empty text.
    let groups: [String: APIDocument]

    static let secondType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    init(version: String) {
        second = APIDocument(Self.secondType, openAPIv2Document(version: version))
        var groups: [String: APIDocument] = [:]
        var paths = JSONObject()
        for group in [""] + Discovery.groups {
            let document = openAPIv3Document(group: group, version: version)
            groups[group] = APIDocument("application/json", document.utf8())
            let path = group.isEmpty ? "api/v1" : "apis/\(group)/v1"
            let tag = groups[group]?.tag ?? ""
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(tag)")]
        }
        self.groups = groups
        let list: JSONValue = ["paths": .object(paths)]
        index = APIDocument("application/json", list.utf8())
    }
}

/// Sixteen hexadecimal digits that tell documents apart (FNV-1a, 64 bits): for caches, not against forgery.
private func contentTag(_ bytes: [UInt8]) -> String {
    let hash = bytes.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16, uppercase: true)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
