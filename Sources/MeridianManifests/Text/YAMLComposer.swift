// YAMLComposer: builds located values from YAML events, refusing what is unsafe or has no JSON form.

internal import MeridianModel

/// Composes the documents of one buffer, which outlives this value.
struct YAMLComposer: ~Copyable {
    /// How much text the aliases of one document may add: enough for any manifest, and a bomb of nested aliases stops here.
    static let aliasBytesMax = 4 << 20

    /// What one node costs beside its text when an alias repeats it.
    private static let nodeBytes = 16

    /// A finished node, and what repeating it would cost.
    private struct Node {
        var value: JSONValue
        var locations: LocationTree
        /// The levels of arrays and objects in it, 0 for a scalar.
        var height = 0
        /// Its approximate size as text, aliases written out.
        var cost = YAMLComposer.nodeBytes
    }

    /// How far `nextDocument` came.
    enum Outcome {
        /// A document; nil when it had problems, which are among `problems`.
        case document(LocatedValue?)
        /// There are no more documents.
        case end
    }

    private var events: YAMLEvents
    private var anchors: [String: Node] = [:]
    private var aliasBytes = 0
    /// The problems of the document being read.
    private(set) var problems: [TextProblem] = []
    /// Where the document begins that is read, or was read last.
    private(set) var documentStart = SourceLocation.start

    /// Composes the documents of `bytes`, whose first line is number `firstLine` of its file.
    init(bytes: UnsafeBufferPointer<UInt8>, firstLine: Int) {
        events = YAMLEvents(bytes: bytes, firstLine: firstLine)
        documentStart = SourceLocation(line: firstLine, column: 1)
    }

    /// The next document.
    ///
    /// What keeps the rest of the stream from being read is thrown: a syntax error, an alias bomb, too deep nesting, whose
    /// remaining events libyaml would read in quadratic time. All other faults are in `problems`.
    mutating func nextDocument() throws(TextProblem) -> Outcome {
        problems = []
        anchors = [:]
        aliasBytes = 0
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamEnd: return .end
            case .documentStart:
                documentStart = event.start
                return .document(try document())
            default: continue
            }
        }
    }

    /// The document whose start was just read, up to its end.
    private mutating func document() throws(TextProblem) -> LocatedValue? {
        let root = try node(from: try events.next(), depth: 0)
        while true {
            let event = try events.next()
            if case .documentEnd = event.kind { break }
        }
        return problems.isEmpty ? LocatedValue(value: root.value, locations: root.locations) : nil
    }

    private mutating func note(_ location: SourceLocation, _ message: String) {
        problems.append(TextProblem(location: location, message: message))
    }

    /// The node that begins with `event`, inside `depth` arrays and objects.
    private mutating func node(from event: YAMLEvent, depth: Int) throws(TextProblem) -> Node {
        let node: Node
        switch event.kind {
        case .alias(let name): return try aliased(name, at: event.start, depth: depth)
        case .scalar(let text, let isPlain): node = scalar(text, isPlain: isPlain, event)
        case .sequenceStart: node = try sequence(event, depth: depth + 1)
        default: node = try mapping(event, depth: depth + 1)
        }
        if let anchor = event.anchor { anchors[anchor] = node }
        return node
    }

    /// The node anchored as `name`, with its own place but its content's locations at the anchor.
    private mutating func aliased(_ name: String, at start: SourceLocation, depth: Int) throws(TextProblem) -> Node {
        guard var node = anchors[name] else {
            note(start, "the alias *\(name) has no finished anchor &\(name) before it in this document")
            return Node(value: .null, locations: LocationTree(start: start))
        }
        aliasBytes += node.cost
        guard aliasBytes <= Self.aliasBytesMax else {
            let bound = "\(Self.aliasBytesMax >> 20) MiB"
            throw TextProblem(location: start, message: "aliases expand to more than \(bound) of text")
        }
        guard depth + node.height <= JSONValue.depthMax else { throw tooDeep(start) }
        node.locations = LocationTree(start: start, children: node.locations.children)
        return node
    }

    private func tooDeep(_ location: SourceLocation) -> TextProblem {
        let message = "sequences and mappings nest deeper than \(JSONValue.depthMax) levels, aliases counted"
        return TextProblem(location: location, message: message)
    }

    private mutating func scalar(_ text: String, isPlain: Bool, _ event: YAMLEvent) -> Node {
        var node = Node(value: .null, locations: LocationTree(start: event.start))
        node.cost += text.utf8.count
        switch YAMLScalar.value(of: text, isPlain: isPlain, tag: event.tag) {
        case .success(let value): node.value = value
        case .failure(let refusal): note(event.start, refusal.message)
        }
        return node
    }

    private mutating func sequence(_ start: YAMLEvent, depth: Int) throws(TextProblem) -> Node {
        try enter(start, depth: depth, type: "seq")
        var whole = Node(value: .null, locations: LocationTree(start: start.start), height: 1)
        var elements: [JSONValue] = []
        var trees: [LocationTree] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { break }
            let element = try node(from: event, depth: depth)
            elements.append(element.value)
            trees.append(element.locations)
            whole.height = max(whole.height, element.height + 1)
            whole.cost += element.cost
        }
        whole.value = .array(elements)
        whole.locations = LocationTree(start: start.start, children: .elements(trees))
        return whole
    }

    private mutating func mapping(_ start: YAMLEvent, depth: Int) throws(TextProblem) -> Node {
        try enter(start, depth: depth, type: "map")
        var whole = Node(value: .null, locations: LocationTree(start: start.start), height: 1)
        var builder = JSONObjectBuilder()
        var places: [LocationTree.Member] = []
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { break }
            let key = try key(from: event, depth: depth)
            let value = try node(from: try events.next(), depth: depth)
            whole.height = max(whole.height, value.height + 1)
            guard let key else { continue }
            if let earlier = builder.position(of: key) {
                let name = JSONValue.string(key).text()
                note(event.start, "key \(name) is already given on line \(places[earlier].keyStart.line). Remove one")
                continue
            }
            builder.append(key: key, value: value.value)
            places.append(LocationTree.Member(key: key, keyStart: event.start, value: value.locations))
            whole.cost += value.cost + key.utf8.count + Self.nodeBytes
        }
        whole.value = .object(builder.object)
        whole.locations = LocationTree(start: start.start, children: .members(places))
        return whole
    }

    /// Checks the depth and the tag of a collection.
    private mutating func enter(_ start: YAMLEvent, depth: Int, type: String) throws(TextProblem) {
        guard depth <= JSONValue.depthMax else { throw tooDeep(start.start) }
        guard let tag = start.tag, tag != "!", tag != YAMLScalar.coreTagPrefix + type else { return }
        note(start.start, YAMLScalar.Refusal.unknownTag(tag).message)
    }

    /// The key that begins with `event`; nil, with the problem noted, where it cannot be one.
    private mutating func key(from event: YAMLEvent, depth: Int) throws(TextProblem) -> String? {
        if case .scalar("<<", isPlain: true) = event.kind, event.tag != YAMLScalar.coreTagPrefix + "str" {
            note(
                event.start,
                "merge keys (<<) are not part of YAML 1.2. Write the merged members out, or quote the key"
            )
            return nil
        }
        let problemCount = problems.count
        let node = try node(from: event, depth: depth)
        guard problems.count == problemCount else { return nil }
        switch node.value {
        case .string(let text): return text
        case .bool, .integer, .double: return node.value.text()
        case .null: note(event.start, "a key is missing here, or is null. Write a key before the ':', or quote it")
        case .array, .object: note(event.start, "a key must be a scalar; JSON has no \(node.value.typeName) as key")
        }
        return nil
    }
}
