// JSONParser: strict RFC 8259 parsing into JSONValue, with the location of every part on request.

extension JSONValue {
    /// The deepest nesting of arrays and objects that any parser here accepts.
    ///
    /// Parsing, comparing and freeing a value recurse once per level; at 512 levels they stay below 1 MiB of stack.
    package static let depthMax = 512

    /// Duplicate keys of a document that are told: more would make an answer larger than its request.
    package static let duplicatesMax = 100

    /// Parses `bytes` as exactly one JSON document.
    ///
    /// Integers beyond `Int64` become doubles; numbers beyond the range of a double are refused; `-0` is the integer 0.
    /// Bytes must be UTF-8 without a byte order mark, and escapes must not leave half a surrogate pair.
    package init(
        parsing bytes: UnsafeRawBufferPointer,
        duplicateKeys: DuplicateKeyRule = .refuse
    ) throws(JSONSyntaxError) {
        let text = bytes.bindMemory(to: UInt8.self)
        var parser = JSONParser(bytes: text, duplicateKeys: duplicateKeys, recordsLocations: false)
        self = try parser.onlyDocument()
    }

    /// Parses `bytes` as exactly one JSON document; see `init(parsing:duplicateKeys:)` of a buffer.
    package init(parsing bytes: [UInt8], duplicateKeys: DuplicateKeyRule = .refuse) throws(JSONSyntaxError) {
        self = try bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONSyntaxError) in try JSONValue(parsing: buffer, duplicateKeys: duplicateKeys) }
        }.get()
    }

    /// Parses `bytes` as exactly one JSON document of whose duplicate keys the last counts, and tells which there are.
    ///
    /// - Returns: the document, and the paths of the first `duplicatesMax` keys that were there before.
    package static func parsedWithDuplicates(
        _ bytes: [UInt8]
    ) throws(JSONSyntaxError) -> (value: JSONValue, duplicates: [FieldPath]) {
        try bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONSyntaxError) in
                var parser = JSONParser(bytes: buffer, duplicateKeys: .lastWins, recordsLocations: false)
                return (try parser.onlyDocument(), parser.duplicates)
            }
        }.get()
    }

    /// Parses `text` as exactly one JSON document; see `init(parsing:duplicateKeys:)` of a buffer.
    package init(parsing text: String, duplicateKeys: DuplicateKeyRule = .refuse) throws(JSONSyntaxError) {
        try self.init(parsing: Array(text.utf8), duplicateKeys: duplicateKeys)
    }
}

extension LocatedValue {
    /// The JSON documents in `bytes`, written one after another with or without white space between them.
    ///
    /// Duplicate keys are refused. On a syntax error the documents before it are kept and `error` tells the rest.
    package static func jsonDocuments(in bytes: [UInt8]) -> (documents: [LocatedValue], error: JSONSyntaxError?) {
        bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer, duplicateKeys: .refuse, recordsLocations: true)
            var documents: [LocatedValue] = []
            do throws(JSONSyntaxError) {
                while let value = try parser.nextDocument() {
                    documents.append(LocatedValue(value: value, locations: parser.tree))
                }
                return (documents, nil)
            } catch {
                return (documents, error)
            }
        }
    }
}

/// A recursive-descent parser over a buffer that outlives it.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let duplicateKeys: DuplicateKeyRule
    let recordsLocations: Bool

    /// The next byte to read.
    var offset = 0
    /// The current line, from 1, and where it begins.
    private var line = 1
    private var lineStart = 0
    /// UTF-8 continuation bytes on the current line before `offset`; columns count scalars, not bytes.
    private var continuationBytes = 0
    /// The keys that were given twice, as far as `JSONValue.duplicatesMax` goes.
    private(set) var duplicates: [FieldPath] = []
    /// The locations of the value that was parsed last; meaningful only when `recordsLocations`.
    private(set) var tree = LocationTree(start: .start)

    init(bytes: UnsafeBufferPointer<UInt8>, duplicateKeys: DuplicateKeyRule, recordsLocations: Bool) {
        self.bytes = bytes
        self.duplicateKeys = duplicateKeys
        self.recordsLocations = recordsLocations
    }

    /// The document that is all there is, with white space around it.
    mutating func onlyDocument() throws(JSONSyntaxError) -> JSONValue {
        guard let value = try nextDocument() else { throw fault("the text is empty where a JSON value is expected") }
        skipSpace()
        guard offset == bytes.count else { throw fault("unexpected \(found) after the end of the JSON document") }
        return value
    }

    /// The next document, or nil at the end of the text.
    mutating func nextDocument() throws(JSONSyntaxError) -> JSONValue? {
        skipSpace()
        guard offset < bytes.count else { return nil }
        return try value(depth: 0)
    }

    /// The value at `offset`, which is no white space, inside `depth` arrays and objects.
    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        let start = location
        switch current {
        case UInt8(ascii: "{"): return try object(start: start, depth: depth + 1)
        case UInt8(ascii: "["): return try array(start: start, depth: depth + 1)
        default: break
        }
        let scalar = try self.scalar()
        if recordsLocations { tree = LocationTree(start: start) }
        return scalar
    }

    private mutating func array(start: SourceLocation, depth: Int) throws(JSONSyntaxError) -> JSONValue {
        try enter(depth)
        var elements: [JSONValue] = []
        var trees: [LocationTree] = []
        skipSpace()
        if current != UInt8(ascii: "]") {
            repeat {
                skipSpace()
                let known = duplicates.count
                elements.append(try value(depth: depth))
                place(duplicates: known, in: .index(elements.count - 1))
                if recordsLocations { trees.append(tree) }
                skipSpace()
            } while accept(UInt8(ascii: ","))
        }
        guard accept(UInt8(ascii: "]")) else { throw fault("expected ',' or ']' in an array, found \(found)") }
        if recordsLocations { tree = LocationTree(start: start, children: .elements(trees)) }
        return .array(elements)
    }

    private mutating func object(start: SourceLocation, depth: Int) throws(JSONSyntaxError) -> JSONValue {
        try enter(depth)
        var builder = JSONObjectBuilder()
        var places: [LocationTree.Member] = []
        skipSpace()
        if current != UInt8(ascii: "}") {
            repeat {
                try member(into: &builder, places: &places, depth: depth)
                skipSpace()
            } while accept(UInt8(ascii: ","))
        }
        guard accept(UInt8(ascii: "}")) else { throw fault("expected ',' or '}' in an object, found \(found)") }
        if recordsLocations { tree = LocationTree(start: start, children: .members(places)) }
        return .object(builder.object)
    }

    private mutating func member(
        into builder: inout JSONObjectBuilder,
        places: inout [LocationTree.Member],
        depth: Int
    ) throws(JSONSyntaxError) {
        skipSpace()
        guard current == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes, found \(found)") }
        let keyStart = location
        let keyOffset = offset
        let key = try string()
        let earlier = builder.position(of: key)
        if earlier != nil, duplicateKeys == .refuse {
            let name = JSONValue.string(key).text()
            throw JSONSyntaxError(
                location: keyStart,
                offset: keyOffset,
                message: "key \(name) is given twice in one object. Remove one"
            )
        }
        skipSpace()
        guard accept(UInt8(ascii: ":")) else { throw fault("expected ':' after a key, found \(found)") }
        skipSpace()
        let known = duplicates.count
        let value = try self.value(depth: depth)
        self.place(duplicates: known, in: .field(key))
        if earlier != nil, duplicates.count < JSONValue.duplicatesMax { duplicates.append(FieldPath(key)) }
        let place = LocationTree.Member(key: key, keyStart: keyStart, value: tree)
        if let earlier {
            builder.replace(at: earlier, value: value)
            if recordsLocations { places[earlier] = place }
        } else {
            builder.append(key: key, value: value)
            if recordsLocations { places.append(place) }
        }
    }

    /// Puts `element` before the paths of the duplicates that were found since there were `known`.
    private mutating func place(duplicates known: Int, in element: FieldPath.Element) {
        for index in known..<duplicates.count { duplicates[index] = FieldPath([element] + duplicates[index].elements) }
    }

    /// Steps over an opening bracket, unless it nests too deeply.
    private mutating func enter(_ depth: Int) throws(JSONSyntaxError) {
        guard depth <= JSONValue.depthMax else {
            throw fault("arrays and objects nest deeper than \(JSONValue.depthMax) levels")
        }
        offset += 1
    }
}

extension JSONParser {
    /// The byte at `offset`, or 0 at the end; 0 itself is nowhere valid in JSON.
    var current: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    /// Where `offset` is.
    var location: SourceLocation {
        SourceLocation(line: line, column: offset - lineStart - continuationBytes + 1)
    }

    /// What stands at `offset`, for messages.
    var found: String {
        guard offset < bytes.count else { return "the end of the text" }
        guard let length = utf8SequenceLength(in: bytes, at: offset) else { return "a byte that is not UTF-8" }
        let text = String(decoding: bytes[offset..<(offset + length)], as: UTF8.self)
        return (0x20..<0x7F).contains(bytes[offset]) ? "'\(text)'" : JSONValue.string(text).text()
    }

    /// An error at `offset`.
    func fault(_ message: String) -> JSONSyntaxError {
        JSONSyntaxError(location: location, offset: offset, message: message)
    }

    /// Steps over `byte` if it is next.
    mutating func accept(_ byte: UInt8) -> Bool {
        guard current == byte, offset < bytes.count else { return false }
        offset += 1
        return true
    }

    /// Steps over one scalar of several bytes.
    mutating func skipMultibyteScalar() throws(JSONSyntaxError) {
        guard let length = utf8SequenceLength(in: bytes, at: offset) else {
            throw fault("a byte that is not UTF-8. Save the text as UTF-8")
        }
        offset += length
        continuationBytes += length - 1
    }

    /// Steps over space, tab, carriage return and line feed, the only white space of JSON.
    mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0D: offset += 1
            case 0x0A:
                offset += 1
                line += 1
                lineStart = offset
                continuationBytes = 0
            default: return
            }
        }
    }
}
