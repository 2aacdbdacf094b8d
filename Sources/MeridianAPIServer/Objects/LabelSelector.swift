// LabelSelector: which labels an object must have, in the grammar of Kubernetes.

/// Requirements that all must hold.
struct LabelSelector: Equatable {
    /// One requirement on one label.
    enum Requirement: Equatable {
        case exists(String)
        case missing(String)
        case isOne(String, of: Set<String>)
        /// A label that is missing is none of them too.
        case isNone(String, of: Set<String>)
    }

    /// More requirements than anyone writes, few enough to check on every object of a list.
    static let requirementsMax = 100

    var requirements: [Requirement] = []

    var isEmpty: Bool { requirements.isEmpty }

    func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .exists(let key): labels[key] != nil
            case .missing(let key): labels[key] == nil
            case .isOne(let key, let values): labels[key].map(values.contains) ?? false
            case .isNone(let key, let values): !(labels[key].map(values.contains) ?? false)
            }
        }
    }

    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    init(_ text: String) throws(APIFailure) {
        for part in Self.parts(of: text) {
            requirements.append(try Self.requirement(part))
        }
        guard requirements.count <= Self.requirementsMax else {
            throw .badRequest("labelSelector has \(requirements.count) requirements; at most \(Self.requirementsMax)")
        }
    }

    /// The text cut at commas outside parentheses.
    private static func parts(of text: String) -> [Substring] {
        var isInside = false
        return text.split(omittingEmptySubsequences: !text.contains(",")) { character in
            if character == "(" { isInside = true }
            if character == ")" { isInside = false }
            return character == "," && !isInside
        }
    }

    private static func requirement(_ part: Substring) throws(APIFailure) -> Requirement {
        let words = part.trimmed
        if words.hasPrefix("!"), !words.contains("=") { return .missing(try key(words.dropFirst(), in: part)) }
        if let open = words.firstIndex(of: "(") { return try setRequirement(words, open, in: part) }
        for (sign, isOne) in [("!=", false), ("==", true), ("=", true)] {
            guard let range = words.firstRange(of: sign) else { continue }
            let key = try key(words[..<range.lowerBound], in: part)
            let value = try value(words[range.upperBound...], in: part)
            return isOne ? .isOne(key, of: [value]) : .isNone(key, of: [value])
        }
        return .exists(try key(words, in: part))
    }

    private static func setRequirement(
        _ words: Substring,
        _ open: Substring.Index,
        in part: Substring
    ) throws(APIFailure) -> Requirement {
        let head = words[..<open].split(separator: " ")
        guard words.hasSuffix(")"), head.count == 2, ["in", "notin"].contains(head[1]) else { throw fault(part) }
        var values: Set<String> = []
        for word in words[words.index(after: open)...].dropLast().split(
            separator: ",",
            omittingEmptySubsequences: false
        ) {
            values.insert(try value(word, in: part))
        }
        let key = try key(head[0], in: part)
        return head[1] == "in" ? .isOne(key, of: values) : .isNone(key, of: values)
    }

    private static func key(_ text: Substring, in part: Substring) throws(APIFailure) -> String {
        let key = text.trimmed
        guard !key.isEmpty, key.allSatisfy({ isWordCharacter($0) || $0 == "/" }) else { throw fault(part) }
        return String(key)
    }

    private static func value(_ text: Substring, in part: Substring) throws(APIFailure) -> String {
        let value = text.trimmed
        guard value.allSatisfy(isWordCharacter) else { throw fault(part) }
        return String(value)
    }

    private static func isWordCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
    }

    private static func fault(_ part: Substring) -> APIFailure {
        .badRequest(
            "unable to parse requirement \"\(part.prefix(80))\" of the labelSelector;"
                + " use a=b, a!=b, a in (b,c), a notin (b), a, !a"
        )
    }
}

extension Substring {
    /// Without spaces at both ends.
    var trimmed: Substring {
        let rest = drop { $0 == " " }
        return rest.lastIndex { $0 != " " }.map { rest[...$0] } ?? ""
    }
}
