// URLText: percent-encoding of what goes into a URL.

/// The text with every byte encoded that is not unreserved (RFC 3986 §2.3), so that it can stand anywhere in a URL.
func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            result += byte < 0x10 ? "%0\(digits)" : "%\(digits)"
        }
    }
    return result
}

/// `?a=b&c=d` of the parameters that have a value; empty where none has.
func queryText(_ parameters: KeyValuePairs<String, String?>) -> String {
    let pairs = parameters.compactMap { name, value in value.map { "\(name)=\(percentEncoded($0))" } }
    return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
}
