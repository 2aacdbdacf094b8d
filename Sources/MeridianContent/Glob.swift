// Glob: shell patterns for one file name, matched in time that no pattern can blow up.

/// Whether `name` matches `pattern` with `*`, `?`, `[…]` and `\`, byte by byte as Git does; neither contains a slash.
///
/// Only the last `*` is ever tried again, so the time is at most the product of both lengths.
func globMatches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    var (at, index) = (0, 0)
    var retry: (at: Int, index: Int)?
    while index < name.count {
        if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
            at += 1
            retry = (at, index)
        } else if let next = matchOne(pattern, at, name[index]) {
            at = next
            index += 1
        } else if let last = retry {
            at = last.at
            index = last.index + 1
            retry = (at, index)
        } else {
            return false
        }
    }
    return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
}

/// Where the pattern goes on after it matched `byte` at `at`; nil where it does not match.
private func matchOne(_ pattern: [UInt8], _ at: Int, _ byte: UInt8) -> Int? {
    guard at < pattern.count else { return nil }
    switch pattern[at] {
    case UInt8(ascii: "?"): return at + 1
    case UInt8(ascii: "["): return matchClass(pattern, at + 1, byte)
    case UInt8(ascii: "\\"): return at + 1 < pattern.count && pattern[at + 1] == byte ? at + 2 : nil
    case byte: return at + 1
    default: return nil
    }
}

/// Matches the bracket expression that begins after the `[`; one that never closes matches nothing.
private func matchClass(_ pattern: [UInt8], _ start: Int, _ byte: UInt8) -> Int? {
    var at = start
    let isNegated = at < pattern.count && (pattern[at] == UInt8(ascii: "!") || pattern[at] == UInt8(ascii: "^"))
    if isNegated { at += 1 }
    let first = at
    var isIn = false
    while at < pattern.count, pattern[at] != UInt8(ascii: "]") || at == first {
        if let (name, end) = className(pattern, at) {
            isIn = isIn || isMember(byte, of: name)
            at = end
            continue
        }
        guard let low = literal(pattern, &at) else { return nil }
        var high = low
        if at + 1 < pattern.count, pattern[at] == UInt8(ascii: "-"), pattern[at + 1] != UInt8(ascii: "]") {
            at += 1
            guard let end = literal(pattern, &at) else { return nil }
            high = end
        }
        isIn = isIn || (low <= byte && byte <= high)
    }
    guard at < pattern.count else { return nil }
    return isIn != isNegated ? at + 1 : nil
}

/// One byte of a bracket expression, with `\` taken as an escape.
private func literal(_ pattern: [UInt8], _ at: inout Int) -> UInt8? {
    if at < pattern.count, pattern[at] == UInt8(ascii: "\\") { at += 1 }
    guard at < pattern.count else { return nil }
    at += 1
    return pattern[at - 1]
}

/// The name in `[:name:]` at `at` and where the pattern goes on behind it.
private func className(_ pattern: [UInt8], _ at: Int) -> (String, Int)? {
    guard pattern[at...].starts(with: "[:".utf8), let colon = pattern[(at + 2)...].firstIndex(of: UInt8(ascii: ":")),
        colon + 1 < pattern.count, pattern[colon + 1] == UInt8(ascii: "]")
    else { return nil }
    return (String(decoding: pattern[(at + 2)..<colon], as: UTF8.self), colon + 2)
}

/// Membership in a POSIX class of the C locale; an unknown name has no members.
private func isMember(_ byte: UInt8, of name: String) -> Bool {
    let isLower = (0x61...0x7A).contains(byte)
    let isUpper = (0x41...0x5A).contains(byte)
    let isDigit = (0x30...0x39).contains(byte)
    let isGraph = (0x21...0x7E).contains(byte)
    return switch name {
    case "alpha": isLower || isUpper
    case "digit": isDigit
    case "alnum": isLower || isUpper || isDigit
    case "lower": isLower
    case "upper": isUpper
    case "space": byte == 0x20 || (0x09...0x0D).contains(byte)
    case "blank": byte == 0x20 || byte == 0x09
    case "punct": isGraph && !(isLower || isUpper || isDigit)
    case "xdigit": isDigit || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    case "graph": isGraph
    case "print": isGraph || byte == 0x20
    case "cntrl": byte < 0x20 || byte == 0x7F
    default: false
    }
}
