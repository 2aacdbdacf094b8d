// ObjectKey: which object is meant.

/// The identity of an object among those that live now: kind, namespace and name.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The kind as manifests write it: `App`.
    package let kind: String
    /// Empty for cluster-scoped kinds.
    package let namespace: String
    package let name: String

    package init(kind: String, namespace: String = "", name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// `App/default/hello`, or `Region/fra` where cluster-scoped.
    package var description: String { namespace.isEmpty ? "\(kind)/\(name)" : "\(kind)/\(namespace)/\(name)" }

    /// `default/hello`: the form that runners, routes and revisions refer to each other by.
    package var path: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
    }
}
