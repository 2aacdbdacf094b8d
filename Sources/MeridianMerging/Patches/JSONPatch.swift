// JSONPatch: JSON Patch (RFC 6902): operations on single places of a document.
package import MeridianModel

/// A parsed JSON Patch.
package struct JSONPatch: Sendable {
    /// Operations of one patch, as many as Kubernetes takes.
    package static let operationsMax = 10_000
    /// Bytes that the copies of one patch may add together: doubling by copying would fill the memory in a few steps.
    package static let copiedBytesMax = 3 << 20

    /// Members and elements that one patch may pass on its way.
    ///
    /// Each operation walks through the objects and arrays on its path: these are two thousand for each of the most
    /// operations, and about a second's work.
    package static let stepsMax = 20_000_000

    private enum Operation: Sendable {
        case add(JSONPointer, JSONValue)
        case remove(JSONPointer)
        case replace(JSONPointer, JSONValue)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, JSONValue)

        /// The places that it reads or changes.
        var paths: [JSONPointer] {
            switch self {
            case .add(let path, _), .remove(let path), .replace(let path, _), .test(let path, _): [path]
            case .move(let from, let to), .copy(let from, let to): [from, to]
            }
        }
    }

    private let operations: [Operation]

    /// Reads a patch document (RFC 6902 §3, §4).
    ///
    /// - Throws: `MergeError`: `malformed`, or `tooLarge` for more than `operationsMax` operations.
    package init(_ document: JSONValue) throws(MergeError) {
        guard case .array(let elements) = document else {
            throw MergeError(.malformed, "a JSON patch must be an array of operations, got \(document.typeName)")
        }
        guard elements.count <= Self.operationsMax else {
            let count = "\(elements.count)"
            throw MergeError(
                .tooLarge,
                "the allowed maximum operations in a JSON patch is \(Self.operationsMax), got \(count)"
            )
        }
        var operations: [Operation] = []
        for (index, element) in elements.enumerated() { operations.append(try Self.operation(element, index)) }
        self.operations = operations
    }

    /// `document` changed by every operation in order.
    ///
    /// - Throws: `MergeError`: `unfit` where a path leads nowhere or a test fails; `tooLarge` where copies add more
    ///   than `copiedBytesMax` bytes.
    package func applied(to document: JSONValue) throws(MergeError) -> JSONValue {
        var result = document
        var copiedBytes = 0
        // An upper bound: moves may nest a document ever deeper, and each walk over it recurses once per level.
        var depth = document.depth

        func note(_ path: JSONPointer, depth added: Int) throws(MergeError) {
            depth = max(depth, path.tokens.count + added)
            guard depth <= JSONValue.depthMax else {
                throw MergeError(.tooLarge, "a patch may not nest a document deeper than \(JSONValue.depthMax) levels")
            }
        }

        var steps = 0
        for operation in operations {
            for path in operation.paths { steps += result.steps(to: path.tokens) }
            guard steps <= Self.stepsMax else {
                throw MergeError(.tooLarge, "the patch takes more than \(Self.stepsMax) steps; send several")
            }
            switch operation {
            case .add(let path, let value):
                try note(path, depth: value.depth)
                try result.add(value, path.tokens[...])
            case .remove(let path): _ = try result.remove(path.tokens[...])
            case .replace(let path, let value):
                _ = try result.value(path.tokens)
                try note(path, depth: value.depth)
                try result.put(value, path.tokens[...])
            case .move(let from, let to):
                guard !to.isInside(from) else { throw MergeError(.unfit, "a value cannot be moved into itself") }
                let value = try result.remove(from.tokens[...])
                try note(to, depth: depth - from.tokens.count)
                try result.add(value, to.tokens[...])
            case .copy(let from, let to):
                let value = try result.value(from.tokens)
                try note(to, depth: depth - from.tokens.count)
                copiedBytes += value.utf8().count
                guard copiedBytes <= Self.copiedBytesMax else {
                    throw MergeError(.tooLarge, "the copies of a patch add more than \(Self.copiedBytesMax) bytes")
                }
                try result.add(value, to.tokens[...])
            case .test(let path, let value):
                guard try result.value(path.tokens).isSame(as: value) else {
                    throw MergeError(.unfit, "testing \(quoted(path.tokens)) failed: the value is another")
                }
            }
        }
        return result
    }

    private static func operation(_ value: JSONValue, _ index: Int) throws(MergeError) -> Operation {
        func pointer(_ name: String) throws(MergeError) -> JSONPointer {
            guard let text = value[name]?.string else {
                throw MergeError(.malformed, "operation \(index): \(name) must be a JSON pointer")
            }
            return try JSONPointer(text)
        }
        func operand() throws(MergeError) -> JSONValue {
            guard let operand = value["value"] else {
                throw MergeError(.malformed, "operation \(index): value is missing")
            }
            return operand
        }
        switch value["op"]?.string {
        case "add": return .add(try pointer("path"), try operand())
        case "remove": return .remove(try pointer("path"))
        case "replace": return .replace(try pointer("path"), try operand())
        case "move": return .move(from: try pointer("from"), to: try pointer("path"))
        case "copy": return .copy(from: try pointer("from"), to: try pointer("path"))
        case "test": return .test(try pointer("path"), try operand())
        default:
            let words = "op must be one of add, remove, replace, move, copy, test"
            throw MergeError(.malformed, "operation \(index): \(words)")
        }
    }
}

private func quoted(_ tokens: [String]) -> String {
    JSONValue.string(tokens.map { "/\($0)" }.joined().prefix(80).description).text()
}

extension JSONValue {
    /// The levels of arrays and objects; 0 for a scalar.
    fileprivate var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        case .object(let object): 1 + (object.members.lazy.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }

    /// The members and elements of everything on the way to a place, as far as there is one.
    fileprivate func steps(to tokens: [String]) -> Int {
        var value: JSONValue? = self
        var steps = 0
        for token in tokens {
            guard let current = value else { break }
            steps += current.array?.count ?? current.object?.count ?? 0
            value = current.child(token)
        }
        return steps
    }

    /// The value at the place of these tokens.
    fileprivate func value(_ tokens: [String]) throws(MergeError) -> JSONValue {
        var value = self
        for token in tokens {
            guard let next = value.child(token) else { throw Self.missing(tokens) }
            value = next
        }
        return value
    }

    private func child(_ token: String) -> JSONValue? {
        switch self {
        case .object(let object): object[token]
        case .array(let elements):
            arrayIndex(token, count: elements.count, isInsertion: false).map { elements[$0] }
        default: nil
        }
    }

    private static func missing(_ tokens: [String]) -> MergeError {
        MergeError(.unfit, "the path \(quoted(tokens)) leads nowhere")
    }

    /// Adds a member or inserts an element (RFC 6902 §4.1).
    fileprivate mutating func add(_ value: JSONValue, _ tokens: ArraySlice<String>) throws(MergeError) {
        try change(tokens) { (parent, token) throws(MergeError) in
            guard case .array(var elements) = parent else { return parent.set(token, to: value) }
            guard let index = arrayIndex(token, count: elements.count, isInsertion: true) else { return false }
            elements.insert(value, at: index)
            parent = .array(elements)
            return true
        } whole: {
            $0 = value
        }
    }

    /// Puts a value in the place of one that is there.
    fileprivate mutating func put(_ value: JSONValue, _ tokens: ArraySlice<String>) throws(MergeError) {
        try change(tokens) { (parent, token) throws(MergeError) in
            parent.set(token, to: value)
        } whole: {
            $0 = value
        }
    }

    /// Takes a value out; a whole document becomes null.
    fileprivate mutating func remove(_ tokens: ArraySlice<String>) throws(MergeError) -> JSONValue {
        let removed = try value(Array(tokens))
        try change(tokens) { (parent, token) throws(MergeError) in
            guard case .array(var elements) = parent else { return parent.set(token, to: nil) }
            guard let index = arrayIndex(token, count: elements.count, isInsertion: false) else { return false }
            elements.remove(at: index)
            parent = .array(elements)
            return true
        } whole: {
            $0 = .null
        }
        return removed
    }

    /// Changes the parent of a place; `body` answers whether the last token names a place in it.
    private mutating func change(
        _ tokens: ArraySlice<String>,
        _ body: (inout JSONValue, String) throws(MergeError) -> Bool,
        whole: (inout JSONValue) -> Void
    ) throws(MergeError) {
        guard let token = tokens.first else { return whole(&self) }
        if tokens.count == 1 {
            guard try body(&self, token) else { throw Self.missing(Array(tokens)) }
            return
        }
        guard var next = child(token) else { throw Self.missing(Array(tokens)) }
        try next.change(tokens.dropFirst(), body, whole: whole)
        _ = set(token, to: next)
    }

    /// Sets an object's member or an array's existing element; false where there is no such place.
    private mutating func set(_ token: String, to value: JSONValue?) -> Bool {
        switch self {
        case .object(var object):
            object[token] = value
            self = .object(object)
            return true
        case .array(var elements):
            guard let value, let index = arrayIndex(token, count: elements.count, isInsertion: false) else {
                return false
            }
            elements[index] = value
            self = .array(elements)
            return true
        default: return false
        }
    }
}
