// WriteOptions: how a client wants an object to be written.
internal import MeridianMerging
internal import MeridianModel

/// The parameters of a POST, PUT or PATCH.
struct WriteOptions: Sendable {
    /// What becomes of fields that a kind does not have, and of fields that are given twice.
    enum Validation: String {
        /// They are refused, as kubectl and Meridian's own verbs ask for.
        case strict = "Strict"
        /// They are left out, and the client is told in `Warning` headers: what a client gets that asks for nothing.
        case warn = "Warn"
        /// They are left out.
        case ignore = "Ignore"
    }

    /// Characters of a manager's name, as many as Kubernetes takes.
    private static let managerCharactersMax = 128
    /// The manager of a client that names neither itself nor its program.
    private static let unknownManager = "unknown"

    /// Whether nothing is to be written.
    var isDryRun = false
    /// The name that the client gave; nil where it gave none.
    var givenManager: String?
    /// Who owns what is written.
    var manager = unknownManager
    /// Whether an apply takes fields of others.
    var isForced = false
    var validation = Validation.strict
    /// Which part of the object the endpoint writes.
    var part = ObjectPart.main
    /// Fields that the body gives twice; the last value counts.
    var duplicateFields: [FieldPath] = []

    init() {}

    /// The options of a request, of which `userAgent` names the program where no manager is given.
    init(_ parameters: QueryParameters, userAgent: String?, part: ObjectPart = .main) throws(APIFailure) {
        self.part = part
        isDryRun = try parameters.isDryRun()
        isForced = try parameters.flag("force")
        givenManager = parameters["fieldManager"]
        let program = (userAgent ?? "").prefix { $0 != "/" && $0.isASCII && !$0.isNewline }
        manager = givenManager ?? (program.isEmpty ? Self.unknownManager : String(program.prefix(128)))
        guard manager.count <= Self.managerCharactersMax else {
            throw .invalidOption(
                "fieldManager",
                "Too long: may not be more than \(Self.managerCharactersMax) characters"
            )
        }
        guard manager.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw .invalidOption("fieldManager", "Invalid value: must be printable characters")
        }
        guard let word = parameters["fieldValidation"] else {
            validation = .warn
            return
        }
        guard let rule = Validation(rawValue: word) else {
            throw .invalidOption(
                "fieldValidation",
                "Unsupported value: \"\(word.prefix(80))\": supported values: \"Ignore\", \"Warn\", \"Strict\""
            )
        }
        validation = rule
    }
}

extension APIFailure {
    /// A parameter of a write that is missing or wrong, in the words of Kubernetes' PatchOptions.
    static func invalidOption(_ field: String, _ why: String) -> APIFailure {
        let cause: JSONValue = [
            "reason": .string(why.hasPrefix("Required") ? "FieldValueRequired" : "FieldValueInvalid"),
            "message": .string(why), "field": .string(field),
        ]
        let details: JSONObject = JSONObject([
            .init(key: "group", value: "meta.k8s.io"), .init(key: "kind", value: "PatchOptions"),
            .init(key: "causes", value: [cause]),
        ])
        let message = "PatchOptions.meta.k8s.io \"\" is invalid: \(field): \(why)"
        return APIFailure(422, "Invalid", message, details: details)
    }

    /// The answer to what could not be merged.
    init(_ error: MergeError, _ key: ObjectKey, _ kind: Kind) {
        switch error.code {
        case .conflict:
            let causes = error.conflicts.map { conflict -> JSONValue in
                [
                    "reason": "FieldManagerConflict", "message": .string("conflict with \(conflict.owner.title)"),
                    "field": .string(conflict.pathText),
                ]
            }
            let details = JSONObject([.init(key: "causes", value: .array(causes))])
            self.init(409, "Conflict", error.message, details: details)
        case .invalid:
            let field = String(error.path.drop { $0 == "." })
            let cause: JSONValue = [
                "reason": "FieldValueInvalid", "message": .string("\(field): \(error.message)"),
                "field": .string(field),
            ]
            let message = "\(kind.name).\(apiGroup) \"\(key.name)\" is invalid: \(field): \(error.message)"
            self.init(422, "Invalid", message, details: JSONObject([.init(key: "causes", value: [cause])]))
        case .malformed: self = .badRequest(error.message)
        case .unfit:
            self.init(422, "Invalid", "the patch does not fit \(kind.resource) \"\(key.name)\": \(error.message)")
        case .tooLarge: self = .tooLarge(error.message)
        }
    }
}
