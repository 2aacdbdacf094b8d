// YAMLScalar: what a YAML scalar means under the YAML 1.2 core schema.

internal import MeridianModel

/// Resolution of scalars (YAML 1.2.2 §10.3.2) to values that JSON has.
enum YAMLScalar {
    /// Every core tag begins so; written `!!str` and the like.
    static let coreTagPrefix = "tag:yaml.org,2002:"

    /// The value of a scalar with the text `text`.
    ///
    /// Without a tag a plain scalar is what it looks like and any other is a string. The error is the reason, without a
    /// place, why the scalar has no value.
    static func value(of text: String, isPlain: Bool, tag: String?) -> Result<JSONValue, Refusal> {
        guard let tag else { return isPlain ? plainValue(of: text) : .success(.string(text)) }
        if tag == "!" { return .success(.string(text)) }
        guard tag.hasPrefix(coreTagPrefix) else { return .failure(.unknownTag(tag)) }
        let type = tag.dropFirst(coreTagPrefix.count)
        if type == "str" { return .success(.string(text)) }
        guard ["null", "bool", "int", "float"].contains(type) else { return .failure(.unknownTag(tag)) }
        return plainValue(of: text).flatMap { value in
            switch (type, value) {
            case ("null", .null), ("bool", .bool), ("int", .integer), ("float", .double): .success(value)
            case ("float", .integer(let value)): .success(.double(Double(value)))
            default:
                .failure(Refusal(message: "the value \(JSONValue.string(text).text()) does not fit its tag !!\(type)"))
            }
        }
    }

    /// Why a node is refused.
    struct Refusal: Error {
        let message: String

        static func unknownTag(_ tag: String) -> Refusal {
            let isCore = tag.hasPrefix(coreTagPrefix)
            let name = isCore ? "!!\(tag.dropFirst(coreTagPrefix.count))" : tag
            return Refusal(
                message: "the tag \(name) is not known here. Remove it; only core tags such as !!str have a meaning"
            )
        }
    }

    private static func plainValue(of text: String) -> Result<JSONValue, Refusal> {
        switch text {
        case "", "~", "null", "Null", "NULL": return .success(.null)
        case "true", "True", "TRUE": return .success(.bool(true))
        case "false", "False", "FALSE": return .success(.bool(false))
        default: break
        }
        // Only these begin a number; most scalars are told apart by their first byte.
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) else {
            return .success(.string(text))
        }
        return number(text) ?? .success(.string(text))
    }

    /// The number that `text` is; nil where it is none.
    private static func number(_ text: String) -> Result<JSONValue, Refusal>? {
        if let digits = text.suffix(after: "0x"), let value = whole(digits, radix: 16) { return finite(value) }
        if let digits = text.suffix(after: "0o"), let value = whole(digits, radix: 8) { return finite(value) }
        let sign = text.utf8.first == UInt8(ascii: "-") ? "-" : ""
        let unsigned = text.utf8.first.map { "+-".utf8.contains($0) } == true ? text.dropFirst() : text[...]
        switch unsigned {
        case ".inf", ".Inf", ".INF": return .failure(.notFinite(text))
        case ".nan" where text == unsigned, ".NaN" where text == unsigned, ".NAN" where text == unsigned:
            return .failure(.notFinite(text))
        default: break
        }
        guard let decimal = Decimal(unsigned) else { return nil }
        if decimal.isWhole, let value = Int64(sign + unsigned) { return .success(.integer(value)) }
        guard let value = Double(sign + decimal.text) else { return nil }
        return finite(.double(value))
    }

    private static func finite(_ value: JSONValue) -> Result<JSONValue, Refusal> {
        guard case .double(let double) = value, !double.isFinite else { return .success(value) }
        return .failure(Refusal(message: "the number is beyond the range of a 64-bit double"))
    }

    /// The value of digits of a power-of-two radix; a double beyond `Int64`, as in JSON; nil where there are others.
    private static func whole(_ digits: Substring, radix: Int) -> JSONValue? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }) else {
            return nil
        }
        if let value = Int64(digits, radix: radix) { return .integer(value) }
        var value = 0.0
        for digit in digits {
            guard digit.isASCII, let amount = digit.hexDigitValue, amount < radix else { return nil }
            value = value * Double(radix) + Double(amount)
        }
        return .double(value)
    }
}

extension YAMLScalar.Refusal {
    /// JSON, and so every manifest, has no infinity and no NaN.
    fileprivate static func notFinite(_ text: String) -> Self {
        Self(message: "\(text) has no JSON form. Write a finite number, or quote it to have a string")
    }
}

/// An unsigned decimal number: `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, with an optional exponent.
private struct Decimal {
    /// Whether there is neither point nor exponent.
    let isWhole: Bool
    /// The number with at least one digit on both sides of its point, if it has one.
    let text: String

    init?(_ source: Substring) {
        var rest = source.utf8[...]
        let whole = Self.takeDigits(&rest)
        var text = whole.isEmpty ? "0" : whole
        var hasFraction = false
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = Self.takeDigits(&rest)
            guard !whole.isEmpty || !fraction.isEmpty else { return nil }
            hasFraction = true
            text += "." + (fraction.isEmpty ? "0" : fraction)
        } else if whole.isEmpty {
            return nil
        }
        var hasExponent = false
        if let mark = rest.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            hasExponent = true
            text += "e"
            if let sign = rest.first, "+-".utf8.contains(sign) {
                text += sign == UInt8(ascii: "-") ? "-" : "+"
                rest = rest.dropFirst()
            }
            let exponent = Self.takeDigits(&rest)
            guard !exponent.isEmpty else { return nil }
            text += exponent
        }
        guard rest.isEmpty else { return nil }
        self.isWhole = !hasFraction && !hasExponent
        self.text = text
    }

    private static func takeDigits(_ rest: inout Substring.UTF8View) -> String {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count)
        return String(Substring(digits))
    }
}

extension String {
    /// What follows `prefix`; nil where the text does not begin with it.
    fileprivate func suffix(after prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
