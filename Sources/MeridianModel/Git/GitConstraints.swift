// GitConstraints: what URLs, refs and signers of a Git repository must look like.

extension Constraint where Value == String {
    /// A repository's URL that can be fetched without a password in it.
    package static var gitURL: Constraint { .rule(gitURLFault) }

    /// A branch, tag or commit that git takes for a name and nothing else.
    package static var gitRef: Constraint { .rule(gitRefFault) }
}

/// The words for what is wrong with `url` as the URL of a repository; nil where it is right.
package func gitURLFault(_ url: String) -> String? {
    // Longer than any host's; Git's own limit is the command line's.
    let bytesMax = 2048
    if url.utf8.count > bytesMax { return "is longer than \(bytesMax) bytes" }
    if url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return "must not contain blanks or control characters" }
    // A leading hyphen would be an option, and helper::address would start a program of that name.
    if url.hasPrefix("-") || url.contains("::") { return "\"\(url)\" is not a repository; give https, ssh or file" }
    guard let scheme = gitScheme(of: url) else {
        return "\"\(url)\" has no scheme known here; give https://…, ssh://…, user@host:path or file:///…"
    }
    let authority = url.dropFirst(scheme.count + 3).prefix { $0 != "/" }
    let isScp = !url.contains("://")
    switch scheme {
    case "file": return authority.isEmpty ? nil : "\"\(url)\" names a host; write file:/// and an absolute path"
    case "ssh" where isScp: return url.hasPrefix(":") ? "\"\(url)\" names no host" : nil
    case "ssh":
        if authority.contains(":"), authority.prefix(while: { $0 != "@" }).contains(":"), authority.contains("@") {
            return "holds a password; put a key into a Secret and name it in credentials"
        }
        let host = authority.split(separator: "@").last ?? ""
        return host.isEmpty || host.hasPrefix("-") ? "\"\(url)\" names no host" : nil
    default:
        if authority.contains("@") { return "holds a user or password; put them into a Secret named in credentials" }
        if authority.isEmpty { return "\"\(url)\" names no host" }
        guard scheme == "http", !isLoopback(String(authority)) else { return nil }
        return "\"\(url)\" is not encrypted; use https. Plain http is for this machine alone"
    }
}

/// `https`, `http`, `ssh` (also for `user@host:path`) or `file`; nil for any other form.
package func gitScheme(of url: String) -> String? {
    for scheme in ["https", "http", "ssh", "file"] where url.hasPrefix("\(scheme)://") { return scheme }
    guard !url.contains("://"), let colon = url.firstIndex(of: ":"), !url[..<colon].contains("/") else { return nil }
    return "ssh"
}

private func isLoopback(_ authority: String) -> Bool {
    if authority == "[::1]" || authority.hasPrefix("[::1]:") { return true }
    let host = authority.prefix { $0 != ":" }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return host == "localhost"
        || (parts.count == 4 && parts[0] == "127" && parts.dropFirst().allSatisfy { UInt8($0) != nil })
}

/// The words for what is wrong with `ref` as a branch, tag or commit (git-check-ref-format(1)); nil where it is right.
package func gitRefFault(_ ref: String) -> String? {
    let advice = "\"\(ref.prefix(80))\" is not a branch, tag or commit"
    let isBounded = !ref.isEmpty && ref.utf8.count <= 256
    let forbidden: Set<Character> = [" ", "~", "^", ":", "?", "*", "[", "\\"]
    let isClean = ref.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F } && !ref.contains(where: forbidden.contains)
    let parts = ref.split(separator: "/", omittingEmptySubsequences: false)
    let areParts = parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }
    guard isBounded, isClean, areParts, !ref.hasPrefix("-"), !ref.hasSuffix("."), !ref.contains(".."),
        !ref.contains("@{"), ref != "@"
    else { return advice }
    return nil
}

/// Whether `text` is the whole id of a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
package func isCommitID(_ text: String) -> Bool {
    [40, 64].contains(text.utf8.count)
        && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}

extension Constraint where Value == [String] {
    /// Lines of an allowed signers file: principals, options and a public key.
    package static var signers: Constraint {
        .rule { lines in
            lines.first { line in
                line.contains(where: \.isNewline) || line.split(separator: " ").count < 3 || line.hasPrefix("#")
            }.map { "\"\($0.prefix(60))\" is no allowed signer; write: PRINCIPAL KEY-TYPE PUBLIC-KEY" }
        }
    }

    /// OpenPGP public keys in ASCII armour, and no private ones.
    package static var armouredKeys: Constraint {
        .rule { keys in
            keys.contains { !$0.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") || $0.contains("PRIVATE KEY") }
                ? "an entry is no ASCII-armoured public key; export one with gpg --armor --export" : nil
        }
    }
}
