// Metadata: what every object carries about itself, as in the Kubernetes Resource Model.

/// `metadata` of an object.
package struct Metadata: Shaped {
    package var name: String = ""
    /// The beginning of a name whose end the server chose at creation; empty where the client named the object.
    package var generateName: String = ""
    /// Empty for cluster-scoped kinds; `default` where a namespaced object names none.
    package var namespace: String = ""
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    /// Given by the server at creation; another object of the same name has another.
    package var uid: String = ""
    /// The store revision of the last write, opaque to clients; never stored inside the object.
    package var resourceVersion: String = ""
    /// Rises with every change of the spec, from 1.
    package var generation: Int = 0
    package var creationTimestamp: Timestamp?
    /// Set while the object is being deleted; it goes when `finalizers` is empty.
    package var deletionTimestamp: Timestamp?
    package var finalizers: [String] = []
    package var ownerReferences: [OwnerReference] = []
    /// Who applied which fields (Kubernetes FieldsV1), kept as it is.
    package var managedFields: [JSONValue] = []

    package init() {}

    package init(name: String, namespace: String = "") {
        self.name = name
        self.namespace = namespace
    }

    package static let shape: Shape<Metadata> = Shape(
        "Metadata",
        "What every object carries about itself.",
        fields: [
            .init(required: "name", \.name, "The object's name: a DNS label.", .dnsLabel()),
            .init(
                "generateName",
                \.generateName,
                default: "",
                "The beginning of a name whose end the server chooses at creation.",
                .rule { $0.utf8.count > 253 ? "is longer than 253 bytes" : nil }
            ),
            .init(
                "namespace",
                \.namespace,
                default: "",
                "The object's namespace; `default` where none is named.",
                .rule { $0.isEmpty || isDNSLabel($0) ? nil : "\"\($0)\" is not a namespace: use a DNS label" }
            ),
            .init("labels", \.labels, default: [:], "Words to select objects by.", .labels),
            .init("annotations", \.annotations, default: [:], "Notes of people and tools.", .annotations),
            .init("uid", \.uid, default: "", "Given by the server at creation."),
            .init("resourceVersion", \.resourceVersion, default: "", "The version of the last write; opaque."),
            .init("generation", \.generation, default: 0, "Rises with every change of the spec."),
            .init("creationTimestamp", optional: \.creationTimestamp, "When the object was created."),
            .init("deletionTimestamp", optional: \.deletionTimestamp, "Set while the object is being deleted."),
            .init("finalizers", \.finalizers, default: [], "What must be done before the object goes.", .unordered()),
            .init(
                "ownerReferences",
                \.ownerReferences,
                default: [],
                "The objects that this one goes with.",
                .keyed(by: "uid")
            ),
            .init("managedFields", \.managedFields, default: [], "Who applied which fields."),
        ]
    )
}

/// An object that another one goes with.
package struct OwnerReference: Shaped {
    package var apiVersion: String = ""
    package var kind: String = ""
    package var name: String = ""
    package var uid: String = ""
    package var controller: Bool = false
    /// Whether a deletion of the owner in the foreground waits for this object.
    package var blockOwnerDeletion: Bool = false

    package init() {}

    package init(kind: String, name: String, uid: String) {
        apiVersion = apiVersionText
        self.kind = kind
        self.name = name
        self.uid = uid
        controller = true
    }

    package static let shape: Shape<OwnerReference> = Shape(
        "OwnerReference",
        "An object that another one goes with.",
        fields: [
            .init(required: "apiVersion", \.apiVersion, "The owner's apiVersion."),
            .init(required: "kind", \.kind, "The owner's kind."),
            .init(required: "name", \.name, "The owner's name."),
            .init(required: "uid", \.uid, "The owner's uid."),
            .init("controller", \.controller, default: false, "Whether the owner made this object."),
            .init(
                "blockOwnerDeletion",
                \.blockOwnerDeletion,
                default: false,
                "Whether a deletion of the owner in the foreground waits for this object."
            ),
        ]
    )
}

/// The names of annotations that Meridian's own verbs write; they are no part of apply, diff or drift.
package enum OwnAnnotation {
    /// What all of them begin with.
    package static let prefix = "meridian.dev/"
    /// On an App: the revision that `rollback` chose.
    package static let rollbackTo = "meridian.dev/rollback-to"
    /// On an App: the newest revision when `rollback` was called; a newer one that is ready ends the rollback.
    package static let rollbackFrom = "meridian.dev/rollback-from"
    /// On an App: a number that rises with every `restart`.
    package static let restart = "meridian.dev/restart"
    /// On an App: a number that rises with every `rebuild`.
    package static let rebuild = "meridian.dev/rebuild"
}

/// The finalizer that every App gets: it keeps a deleted App until its routes and runners are gone.
package let drainFinalizer = "meridian.dev/drain"

/// The finalizer that every Namespace gets: it keeps a deleted Namespace until no object is left in it.
package let contentsFinalizer = "meridian.dev/contents"

extension Constraint where Value == [String: String] {
    /// Label keys and values as Kubernetes has them: an optional DNS prefix, and words of at most 63 characters.
    package static var labels: Constraint {
        .rule { labels in
            for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
                if !isQualifiedName(key) {
                    return "\"\(key)\" is not a label name; use [prefix/]name, at most 63 characters"
                }
                if !value.isEmpty, !isLabelWord(value) {
                    return
                        "\"\(value.prefix(80))\" is not a label value; use letters, digits, - _ and ., at most 63 characters"
                }
            }
            return nil
        }
    }

    /// Annotation keys are label keys; values are free text, 256 KiB together at most.
    package static var annotations: Constraint {
        .rule { annotations in
            if let key = annotations.keys.sorted().first(where: { !isQualifiedName($0) }) {
                return "\"\(key)\" is not an annotation name; use [prefix/]name, at most 63 characters"
            }
            let bytes = annotations.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
            return bytes > 262_144 ? "annotations take \(bytes) bytes; 262144 is the most" : nil
        }
    }
}

private func isQualifiedName(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return isLabelWord(key)
    case 2: return isHostName(String(parts[0])) && isLabelWord(String(parts[1]))
    default: return false
    }
}

private func isLabelWord(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
        && bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
}
