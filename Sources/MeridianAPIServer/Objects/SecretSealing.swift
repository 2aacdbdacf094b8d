// SecretSealing: plain values become sealed ones before the store sees them.
internal import MeridianModel
internal import MeridianPorts

extension ObjectAPI {
    /// The secret with every plain value sealed.
    ///
    /// A plain value that equals the stored one keeps the stored sealed text, so that applying a file again writes
    /// nothing. `sealed` may only repeat the fingerprints that were served.
    func sealed(_ secret: Secret, _ kind: Kind, live: StoreRecord?) throws(APIFailure) -> Secret {
        let stored = live?.value["sealed"]?.object ?? JSONObject()
        var result = secret
        result.sealed = try kept(secret, kind, stored: stored)
        for (key, plain) in secret.stringData.sorted(by: { $0.key < $1.key }) {
            result.sealed[key] = try sealedText(
                plain,
                owner: secretOwner(secret.key, key: key),
                stored: stored[key]?.string
            )
        }
        result.stringData = [:]
        return result
    }

    private func kept(
        _ secret: Secret,
        _ kind: Kind,
        stored: JSONObject
    ) throws(APIFailure) -> [String: String] {
        var kept: [String: String] = [:]
        var problems: [DecodingContext.Problem] = []
        for (key, text) in secret.sealed.sorted(by: { $0.key < $1.key }) where secret.stringData[key] == nil {
            if let old = stored[key]?.string, text == old || text == sealing.fingerprint(old) {
                kept[key] = old
                continue
            }
            let path = FieldPath("sealed", key)
            let words =
                "\(path): is written by Meridian and is not the stored value; give the plain value in stringData"
            problems.append(.init(path: path, reason: .invalid, message: words))
        }
        guard problems.isEmpty else { throw .invalid(secret.key, kind, problems) }
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
    /// One that does not open any more (another key, damage) does not:
    /// applying the Secret again is how it is repaired.
    private func isSealed(_ stored: String, _ plain: String, owner: String) -> Bool {
        do throws(SealingError) {
            return try sealing.open(stored, for: owner) == plain
        } catch {
            return false
        }
    }
}
