// GitSourceStatus: what Meridian observes of a GitSource: commits, what it owns, what is wrong.

/// `status` of a GitSource.
package struct GitSourceStatus: Shaped {
    package var observedGeneration: Int = 0
    /// `Fetched`, `Verified`, `Applied`, `Ready`.
    package var conditions: [Condition] = []
    /// The commit that was read last, whatever became of it.
    package var lastSeenCommit: String?
    /// The commit of which every right object was applied last.
    package var appliedCommit: String?
    /// The tag that a version range chose.
    package var tag: String?
    /// What this source applied and answers for; sorted by kind, namespace and name.
    package var inventory: [OwnedObject] = []
    /// Owned objects that are not what the commit says, and are left so.
    package var drift: [DriftedObject] = []
    /// What is wrong with the files of the last seen commit, by file and line; at most `problemsMax`.
    package var problems: [GitProblem] = []

    /// As many as a person works through before looking again.
    package static let problemsMax = 100
    /// As many drifted objects as are listed.
    package static let driftMax = 200

    package init() {}

    package static let shape: Shape<GitSourceStatus> = Shape(
        "GitSourceStatus",
        "What Meridian observes of a GitSource.",
        fields: [
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation that was looked at."),
            .init(
                "conditions",
                \.conditions,
                default: [],
                "Fetched, Verified, Applied, Drifted, Ready.",
                .keyed(by: "type")
            ),
            .init("lastSeenCommit", optional: \.lastSeenCommit, "The commit that was read last."),
            .init("appliedCommit", optional: \.appliedCommit, "The commit that was applied last."),
            .init("tag", optional: \.tag, "The tag that the version range chose."),
            .init("inventory", \.inventory, default: [], "What this source applied and answers for."),
            .init("drift", \.drift, default: [], "Owned objects that are not what the commit says."),
            .init("problems", \.problems, default: [], "What is wrong with the files of the last seen commit."),
        ]
    )
}

/// One entry of the record of ownership.
package struct OwnedObject: Shaped {
    package var kind: String = ""
    package var namespace: String = ""
    package var name: String = ""
    /// Empty while the object is about to be applied for the first time.
    package var uid: String = ""
    /// The object's generation after it was applied: another one calls for a comparison.
    package var generation: Int = 0
    /// The digest of what was applied; empty while it is about to be applied.
    package var applied: String = ""

    package init() {}

    package init(_ key: ObjectKey, uid: String = "", generation: Int = 0, applied: String = "") {
        kind = key.kind
        namespace = key.namespace
        name = key.name
        self.uid = uid
        self.generation = generation
        self.applied = applied
    }

    /// The identity of the object.
    package var key: ObjectKey { ObjectKey(kind: kind, namespace: namespace, name: name) }

    package static let shape: Shape<OwnedObject> = Shape(
        "OwnedObject",
        "One object that a source applied and answers for.",
        fields: [
            .init(required: "kind", \.kind, "The object's kind."),
            .init("namespace", \.namespace, default: "", "The object's namespace."),
            .init(required: "name", \.name, "The object's name."),
            .init("uid", \.uid, default: "", "The object's uid; empty until it was applied."),
            .init("generation", \.generation, default: 0, "The object's generation after it was applied."),
            .init("applied", \.applied, default: "", "The digest of what was applied; empty until then."),
        ]
    )
}

/// An owned object that is not what the commit says.
package struct DriftedObject: Shaped {
    package var kind: String = ""
    package var namespace: String = ""
    package var name: String = ""
    /// The fields that differ: `spec.scaling.min`; none where the object is gone.
    package var fields: [String] = []
    /// What is the matter, in words.
    package var message: String = ""

    package init() {}

    package init(_ key: ObjectKey, fields: [String], _ message: String) {
        kind = key.kind
        namespace = key.namespace
        name = key.name
        self.fields = fields
        self.message = message
    }

    /// The identity of the object.
    package var key: ObjectKey { ObjectKey(kind: kind, namespace: namespace, name: name) }

    package static let shape: Shape<DriftedObject> = Shape(
        "DriftedObject",
        "An owned object that is not what the commit says.",
        fields: [
            .init(required: "kind", \.kind, "The object's kind."),
            .init("namespace", \.namespace, default: "", "The object's namespace."),
            .init(required: "name", \.name, "The object's name."),
            .init("fields", \.fields, default: [], "The fields that differ."),
            .init("message", \.message, default: "", "What is the matter."),
        ]
    )
}

/// Something wrong with a file of a commit.
package struct GitProblem: Shaped, Hashable {
    /// Relative to the repository's root.
    package var file: String = ""
    /// Counted from 1; 0 where the file as a whole is meant.
    package var line: Int = 0
    package var column: Int = 0
    package var message: String = ""

    package init() {}

    package init(file: String, line: Int = 0, column: Int = 0, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `deploy/app.yaml:3:5: message`.
    package var text: String { (line > 0 ? "\(file):\(line):\(column)" : file) + ": \(message)" }

    package static let shape: Shape<GitProblem> = Shape(
        "GitProblem",
        "Something wrong with a file of a commit.",
        fields: [
            .init(required: "file", \.file, "The file, from the repository's root."),
            .init("line", \.line, default: 0, "The line, counted from 1."),
            .init("column", \.column, default: 0, "The column, counted from 1."),
            .init("message", \.message, default: "", "What is wrong and what to do."),
        ]
    )
}
