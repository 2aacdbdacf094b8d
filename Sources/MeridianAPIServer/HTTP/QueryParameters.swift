// QueryParameters: the part of a URL after the question mark.

/// The parameters of a request; of one that is given twice the first counts.
struct QueryParameters {
    private var values: [String: String] = [:]

    /// The parameters of the text after `?`, still percent-encoded; nil where there is none.
    init(_ query: String?) throws(APIFailure) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = percentDecoded(parts[0]), let value = percentDecoded(parts.count == 2 ? parts[1] : "")
            else {
                throw .badRequest("the query \"\(pair.prefix(80))\" is not percent-encoded UTF-8")
            }
            if values[key] == nil { values[key] = value }
        }
    }

    /// The value of a parameter; nil where it is missing or empty.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Whether a flag is set: `1`, `true`, or the name alone.
    func flag(_ name: String) throws(APIFailure) -> Bool {
        switch values[name]?.lowercased() {
        case nil, "0", "false": return false
        case "", "1", "true": return true
        case let other?: throw .badRequest("\(name): \"\(other.prefix(80))\" is neither true nor false")
        }
    }

    /// A whole number of the range; nil where the parameter is missing.
    func number(_ name: String, in range: ClosedRange<Int64>) throws(APIFailure) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw .badRequest(
                "\(name): \"\(text.prefix(80))\" is not a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// Whether nothing is to be written (`dryRun=All`).
    func isDryRun() throws(APIFailure) -> Bool {
        switch self["dryRun"] {
        case nil: return false
        case "All": return true
        case let other?: throw .badRequest("dryRun: \"\(other.prefix(80))\" is not supported; use All")
        }
    }
}

/// The text that percent-encoding stands for, `+` being a space; nil where it is malformed or not UTF-8.
private func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        default: bytes.append(byte)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}
