// Shape: the fields of a struct, declared once for reading, writing, defaults and JSON Schema.

/// A struct that is written as a JSON object with named fields.
package protocol Shaped: ShapeValue {
    /// A value with every field at its default; required fields hold a placeholder that reading replaces.
    init()

    /// The fields, in the order in which they are written.
    static var shape: Shape<Self> { get }
}

/// The declared fields of `Root` and the rules between them.
package struct Shape<Root: Sendable>: Sendable {
    /// The type's name in `$defs`.
    package let name: String
    /// What the object is, in one or two sentences: the schema's description.
    package let summary: String
    package let fields: [ShapeField<Root>]
    /// Rules between fields, checked once all fields were read without a problem.
    package let rules: [ShapeRule<Root>]

    package init(
        _ name: String,
        _ summary: String,
        fields: [ShapeField<Root>],
        rules: [ShapeRule<Root>] = []
    ) {
        self.name = name
        self.summary = summary
        self.fields = fields
        self.rules = rules
    }
}

/// A rule between fields of one object.
package struct ShapeRule<Root: Sendable>: Sendable {
    /// Adds a problem to the context where `root`, read from `path`, breaks the rule.
    package let check: @Sendable (_ root: Root, _ path: FieldPath, _ context: inout DecodingContext) -> Void

    package init(
        _ check: @escaping @Sendable (_ root: Root, _ path: FieldPath, _ context: inout DecodingContext) -> Void
    ) {
        self.check = check
    }
}

/// One field: its name, meaning, schema, and how it is read into and written from `Root`.
package struct ShapeField<Root: Sendable>: Sendable {
    package let name: String
    package let summary: String
    package let isRequired: Bool
    package let schema: @Sendable () -> JSONSchema
    /// Reads the value into the root; false after a problem.
    let read: @Sendable (JSONValue, FieldPath, inout Root, inout DecodingContext) -> Bool
    /// The JSON form, or nil where the field equals its default and `explicit` is false.
    let write: @Sendable (_ root: Root, _ explicit: Bool) -> JSONValue?

    /// A field with a default: absent and `null` read as the default.
    package init<Value: ShapeValue>(
        _ name: String,
        _ path: any WritableKeyPath<Root, Value> & Sendable,
        default fallback: Value,
        _ summary: String,
        _ constraints: Constraint<Value>...
    ) {
        self.init(name, path, isRequired: false, fallback: fallback, summary, constraints)
    }

    /// A field that must be given.
    package init<Value: ShapeValue>(
        required name: String,
        _ path: any WritableKeyPath<Root, Value> & Sendable,
        _ summary: String,
        _ constraints: Constraint<Value>...
    ) {
        self.init(name, path, isRequired: true, fallback: nil, summary, constraints)
    }

    /// A field that may be absent; `null` reads as absent.
    package init<Value: ShapeValue>(
        _ name: String,
        optional path: any WritableKeyPath<Root, Value?> & Sendable,
        _ summary: String,
        _ constraints: Constraint<Value>...
    ) {
        self.name = name
        self.summary = summary
        isRequired = false
        schema = { constraints.reduce(Value.schema) { $1.describe($0) } }
        read = { json, place, root, context in
            if json.isNull { return true }
            guard let value = Value.decode(json, at: place, &context) else { return false }
            root[keyPath: path] = value
            return constraints.allSatisfy { $0.holds(value, at: place, &context) }
        }
        write = { root, explicit in root[keyPath: path]?.encoded(explicit: explicit) }
    }

    private init<Value: ShapeValue>(
        _ name: String,
        _ path: any WritableKeyPath<Root, Value> & Sendable,
        isRequired: Bool,
        fallback: Value?,
        _ summary: String,
        _ constraints: [Constraint<Value>]
    ) {
        self.name = name
        self.summary = summary
        self.isRequired = isRequired
        schema = {
            let described = constraints.reduce(Value.schema) { $1.describe($0) }
            guard let fallback else { return described }
            return described.adding(["default": fallback.encoded(explicit: false)])
        }
        read = { json, place, root, context in
            if json.isNull, let fallback {
                root[keyPath: path] = fallback
                return true
            }
            guard let value = Value.decode(json, at: place, &context) else { return false }
            root[keyPath: path] = value
            return constraints.allSatisfy { $0.holds(value, at: place, &context) }
        }
        write = { root, explicit in
            let value = root[keyPath: path]
            if !explicit, let fallback, value == fallback { return nil }
            return value.encoded(explicit: explicit)
        }
    }
}

extension Shaped {
    package static var schema: JSONSchema {
        var definitions: [String: JSONObject] = [:]
        let own = objectSchema(&definitions)
        definitions[shape.name] = own
        return JSONSchema(["$ref": .string("#/$defs/\(shape.name)")]).with(definitions: definitions)
    }

    /// The schema of the object itself; the definitions of its fields are added to `definitions`.
    package static func objectSchema(_ definitions: inout [String: JSONObject]) -> JSONObject {
        var properties = JSONObject()
        for field in shape.fields {
            let schema = field.schema()
            definitions.merge(schema.definitions) { first, _ in first }
            var keywords = schema.keywords
            keywords["description"] = .string(field.summary)
            properties[field.name] = .object(keywords)
        }
        var own = JSONObject()
        own["type"] = "object"
        own["description"] = .string(shape.summary)
        own["properties"] = .object(properties)
        let required = shape.fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { own["required"] = .array(required) }
        own["additionalProperties"] = false
        return own
    }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Self? {
        guard case .object(let object) = value else {
            context.mismatch(value, at: path, expected: "an object")
            return nil
        }
        var root = Self()
        // Made once: a shape is built anew each time it is asked for.
        let shape = Self.shape
        let before = context.problems.count
        var known = 0
        for field in shape.fields {
            if let json = object[field.name] {
                known += 1
                _ = field.read(json, path[field.name], &root, &context)
            } else if field.isRequired {
                let place = path[field.name]
                context.add(.required, at: place, "\(place): required, but missing. \(field.summary)")
            }
        }
        if known < object.count { context.unknownFields(of: object, at: path, known: shape.fields.map(\.name)) }
        guard context.problems.count == before else { return nil }
        for rule in shape.rules { rule.check(root, path, &context) }
        return context.problems.count == before ? root : nil
    }

    package func encoded(explicit: Bool) -> JSONValue {
        let members = Self.shape.fields.compactMap { field in
            field.write(self, explicit).map { JSONObject.Member(key: field.name, value: $0) }
        }
        return .object(JSONObject(members))
    }
}

extension JSONSchema {
    fileprivate func with(definitions: [String: JSONObject]) -> JSONSchema {
        JSONSchema(keywords, definitions: definitions)
    }
}

extension DecodingContext {
    /// Adds the members of `object` that are not `known`.
    fileprivate mutating func unknownFields(of object: JSONObject, at path: FieldPath, known: [String]) {
        for member in object.members where !known.contains(member.key) {
            unknownField(member.key, at: path, known: known)
        }
    }

    /// Adds `unknown field "spec.regoins": did you mean "regions"?` at the key.
    package mutating func unknownField(_ name: String, at path: FieldPath, known: [String]) {
        guard !isFull else { return }
        let place = path[name]
        let hint =
            suggestion(for: name, among: known).map { ": did you mean \"\($0)\"?" }
            ?? ". Known here: \(known.sorted().joined(separator: ", "))"
        add(.unknownField, at: place, "unknown field \"\(place)\"\(hint)", atKey: true)
    }
}
