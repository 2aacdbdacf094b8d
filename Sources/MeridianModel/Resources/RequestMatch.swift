// RequestMatch: conditions on a request: its method, path, region, headers and cookies.

/// Conditions that must all hold; without any, every request matches.
package struct RequestMatch: Shaped, Hashable {
    package var method: String?
    /// Compared by whole segments: `/v2` is the beginning of `/v2` and `/v2/x`, not of `/v20`.
    package var pathPrefix: String?
    /// The region in which the request is served; a name or an alias.
    package var region: String?
    package var headers: [ValueMatch] = []
    package var cookies: [ValueMatch] = []

    package init() {}

    /// Headers, and cookies, of one match: each is looked for among all fields of a request.
    package static let valuesMax = 8

    package static let shape: Shape<RequestMatch> = Shape(
        "RequestMatch",
        "Conditions that must all hold; without any, every request matches.",
        fields: [
            .init("method", optional: \.method, "The method, in upper case.", .method),
            .init(
                "pathPrefix",
                optional: \.pathPrefix,
                "The beginning of the path in whole segments: /v2 is that of /v2/x, not of /v20.",
                .pathPrefix
            ),
            .init("region", optional: \.region, "The region in which the request is served, or an alias of it."),
            .init("headers", \.headers, default: [], "Header fields.", .atMost(valuesMax)),
            .init("cookies", \.cookies, default: [], "Cookies.", .atMost(valuesMax)),
        ],
        rules: [ShapeRule(checkHeaders), ShapeRule(checkCookies)]
    )

    private static func checkHeaders(_ match: Self, _ path: FieldPath, _ context: inout DecodingContext) {
        checkNamedOnce(match.headers.map { $0.name.lowercased() }, at: path["headers"], &context)
        for (index, header) in match.headers.enumerated() {
            guard let better = ["host": "spec.hosts", "cookie": "cookies"][header.name.lowercased()] else { continue }
            let place = path["headers"][index]["name"]
            context.add(.invalid, at: place, "\(place): \"\(header.name)\" is not matched here. Use \(better)")
        }
    }

    private static func checkCookies(_ match: Self, _ path: FieldPath, _ context: inout DecodingContext) {
        checkNamedOnce(match.cookies.map(\.name), at: path["cookies"], &context)
        for (index, cookie) in match.cookies.enumerated()
        where (cookie.exact ?? cookie.prefix ?? "").utf8.contains(UInt8(ascii: ";")) {
            let place = path["cookies"][index]
            context.add(.invalid, at: place, "\(place): no cookie's value holds \";\". Remove it")
        }
    }

    private static func checkNamedOnce(_ names: [String], at path: FieldPath, _ context: inout DecodingContext) {
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            let place = path[index]["name"]
            context.add(.invalid, at: place, "\(place): \"\(name)\" is named twice. Give one condition for it")
        }
    }
}

extension RequestMatch {
    /// The same conditions in one form: header names in lower case, no slash at the end of the path, sorted by name.
    ///
    /// The path `/` is no condition, since it begins every path.
    package var canonical: RequestMatch {
        var match = self
        if let prefix = pathPrefix {
            let trimmed = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
            match.pathPrefix = trimmed.isEmpty ? nil : trimmed
        }
        for index in headers.indices { match.headers[index].name = headers[index].name.lowercased() }
        match.headers.sort { $0.name < $1.name }
        match.cookies.sort { $0.name < $1.name }
        return match
    }

    /// Whether every request matches.
    package var isEverything: Bool { canonical == RequestMatch() }

    /// Whether this matches every request that `other` does; both are canonical.
    package func covers(_ other: RequestMatch) -> Bool {
        guard method == nil || method == other.method, region == nil || region == other.region else { return false }
        if let prefix = pathPrefix {
            guard let path = other.pathPrefix, path == prefix || path.hasPrefix(prefix + "/") else { return false }
        }
        return headers.allSatisfy { own in other.headers.contains(where: own.covers) }
            && cookies.allSatisfy { own in other.cookies.contains(where: own.covers) }
    }

    /// The conditions in words: `GET /v2 with header x-beta "yes"`.
    package var words: String {
        var words = [method, pathPrefix].compactMap(\.self)
        if let region { words.append("in \(region)") }
        let values = headers.map { "header \($0.words)" } + cookies.map { "cookie \($0.words)" }
        if !values.isEmpty { words.append("with " + values.joined(separator: " and ")) }
        return words.isEmpty ? "everything" : words.joined(separator: " ")
    }
}

/// A condition on one header or cookie: exactly one of `exact`, `prefix` and `present`.
package struct ValueMatch: Shaped, Hashable {
    package var name: String = ""
    /// The whole value, to the byte.
    package var exact: String?
    /// The beginning of the value.
    package var prefix: String?
    package var present: Bool = false

    package init() {}

    package init(_ name: String, exact: String) {
        self.name = name
        self.exact = exact
    }

    package init(_ name: String, prefix: String) {
        self.name = name
        self.prefix = prefix
    }

    package init(present name: String) {
        self.name = name
        present = true
    }

    package static let shape: Shape<ValueMatch> = Shape(
        "ValueMatch",
        "A condition on one header or cookie: exactly one of exact, prefix, present.",
        fields: [
            .init(required: "name", \.name, "Its name.", .token),
            .init("exact", optional: \.exact, "The whole value.", .fieldValue),
            .init("prefix", optional: \.prefix, "The beginning of the value.", .text(atMost: 256), .fieldValue),
            .init("present", \.present, default: false, "Whether any value will do."),
        ],
        rules: [
            ShapeRule { match, path, context in
                let given = (match.exact == nil ? 0 : 1) + (match.prefix == nil ? 0 : 1) + (match.present ? 1 : 0)
                guard given != 1 else { return }
                context.add(.invalid, at: path, "\(path): give exactly one of exact, prefix, present; \(given) given")
            }
        ]
    )

    /// Whether this holds for every value for which `other` does.
    fileprivate func covers(_ other: ValueMatch) -> Bool {
        guard name == other.name else { return false }
        if present { return true }
        if let prefix { return (other.exact ?? other.prefix)?.hasPrefix(prefix) ?? false }
        return exact == other.exact
    }

    fileprivate var words: String {
        if let exact { return "\(name) \"\(exact)\"" }
        return prefix.map { "\(name) \"\($0)…\"" } ?? name
    }
}

extension Constraint where Value == String {
    /// A token (RFC 9110 §5.6.2) of at most 64 bytes: the name of a header or cookie.
    package static var token: Constraint {
        .rule { text in
            let isRight = (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isTokenByte)
            return isRight ? nil : "\"\(text)\" is not a name; use letters, digits, - and _, at most 64"
        }
    }

    /// What a field can hold: visible characters with blanks between them, at most 256 bytes.
    package static var fieldValue: Constraint {
        .rule { text in
            if text.utf8.count > 256 { return "is longer than 256 bytes" }
            guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { return "give visible ASCII characters" }
            let isBare = text.utf8.first != 0x20 && text.utf8.last != 0x20
            return isBare ? nil : "blanks around a value are never seen; remove them"
        }
    }

    /// A method in upper case.
    fileprivate static var method: Constraint {
        .rule { text in
            let isRight = (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { (0x41...0x5A).contains($0) }
            if isRight { return text == "CONNECT" ? "CONNECT is not served by any app" : nil }
            return "\"\(text)\" is not a method; write one such as GET, in upper case"
        }
    }

    /// The beginning of a path, as it stands in requests.
    fileprivate static var pathPrefix: Constraint {
        .rule { text in
            guard text.hasPrefix("/") else { return "\"\(text)\" is not a path; begin it with /" }
            if text.utf8.count > 512 { return "is longer than 512 bytes" }
            let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3F && $0 != 0x23 }
            if !isPlain { return "\"\(text)\" is not a path; percent-encode it and leave the query out" }
            let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            let isTidy = parts.dropLast().allSatisfy { !$0.isEmpty } && !parts.contains(".") && !parts.contains("..")
            return isTidy ? nil : "\"\(text)\" has empty, \".\" or \"..\" segments; remove them"
        }
    }
}

extension Constraint {
    /// A list of at most `count` items.
    package static func atMost<Item>(_ count: Int) -> Constraint where Value == [Item] {
        Constraint(
            describe: { $0.adding(["maxItems": .integer(Int64(count))]) },
            fault: { $0.count <= count ? nil : "has \($0.count) items; give at most \(count)" }
        )
    }
}

private func isTokenByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "!#$%&'*+-.^_`|~".utf8.contains(byte)
}
