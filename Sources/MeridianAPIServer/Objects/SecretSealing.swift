// SecretSealing: plain values become sealed ones before anything else looks at them.
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

extension ObjectAPI {
    /// Bytes of all plain values of one write, as many as a stored Secret takes.
    private static let plainBytesMax = 512 << 10

    /// A Secret with every plain value sealed, under the same key of `sealed`; any other object as it is.
    ///
    /// A plain value that equals the stored one becomes the stored sealed text, so that applying a file again writes
    /// nothing and merging compares values. `sealed` may repeat the fingerprints that were served, and may hold what was
    /// sealed with the platform's public key for this very place; that is stored as it came, so that it differs from no
    /// manifest in Git.
    func withSealedValues(
        _ object: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        live: StoreRecord?
    ) throws(APIFailure) -> JSONValue {
        guard kind.name == Secret.kind, case .object(var secret) = object else { return object }
        let stored = live?.value["sealed"]?.object ?? JSONObject()
        let plain = try plainValues(secret, kind, key)
        var sealed = try kept(secret, kind, key, stored: stored, replacedBy: plain)
        for (name, value) in plain {
            let owner = secretOwner(key, key: name)
            sealed[name] = .string(try sealedText(value, owner: owner, stored: stored[name]?.string))
        }
        let isEmpty = sealed.isEmpty && secret["stringData"] == nil && secret["sealed"] == nil
        secret["sealed"] = isEmpty ? nil : .object(sealed)
        secret["stringData"] = nil
        return .object(secret)
    }

    private func plainValues(
        _ secret: JSONObject,
        _ kind: Kind,
        _ key: ObjectKey
    ) throws(APIFailure) -> [(String, String)] {
        guard let given = secret["stringData"], !given.isNull else { return [] }
        var context = DecodingContext()
        let path = FieldPath("stringData")
        guard let values = [String: String].decode(given, at: path, &context) else {
            throw .invalid(key, kind, context.problems)
        }
        let bytes = values.reduce(0) { $0 + $1.value.utf8.count }
        guard bytes <= Self.plainBytesMax else {
            let words = "\(path): takes \(bytes) bytes; \(Self.plainBytesMax) is the most"
            throw .invalid(key, kind, [.init(path: path, reason: .invalid, message: words)])
        }
        return values.sorted { $0.key < $1.key }
    }

    private func kept(
        _ secret: JSONObject,
        _ kind: Kind,
        _ key: ObjectKey,
        stored: JSONObject,
        replacedBy plain: [(String, String)]
    ) throws(APIFailure) -> JSONObject {
        var kept = JSONObject()
        var problems: [DecodingContext.Problem] = []
        for member in secret["sealed"]?.object?.members ?? [] where !plain.contains(where: { $0.0 == member.key }) {
            if let old = stored[member.key]?.string, let text = member.value.string,
                text == old || text == sealing.fingerprint(old)
            {
                kept[member.key] = .string(old)
                continue
            }
            let path = FieldPath("sealed", member.key)
            var words = "is not the stored value; give the plain value in stringData, or seal it with: meridian seal"
            if let text = member.value.string, PublicSealing.isSealed(text) {
                do throws(SealingError) {
                    _ = try sealing.open(text, for: secretOwner(key, key: member.key))
                    kept[member.key] = .string(text)
                    continue
                } catch {
                    words = error.message
                }
            }
            problems.append(.init(path: path, reason: .invalid, message: "\(path): \(words)"))
        }
        guard problems.isEmpty else { throw .invalid(key, kind, problems) }
        return kept
    }

    private func sealedText(_ plain: String, owner: String, stored: String?) throws(APIFailure) -> String {
        do {
            if let stored, isSealed(stored, plain, owner: owner) { return stored }
            return try sealing.seal(plain, for: owner)
        } catch {
            throw error.code == .refused ? .tooLarge(error.message) : .unavailable(error.message)
        }
    }

    /// Whether a stored text holds the plain value.
    ///
    /// One that does not open any more (another key, damage) does not: applying the Secret again is how it is repaired.
    private func isSealed(_ stored: String, _ plain: String, owner: String) -> Bool {
        do throws(SealingError) {
            return try sealing.open(stored, for: owner) == plain
        } catch {
            return false
        }
    }
}
