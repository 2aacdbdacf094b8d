// Resource: an object of the API: kind, metadata, spec and status.

/// The group and version of every kind.
package let apiVersionText = "meridian.dev/v1"

/// The part of `apiVersionText` before the slash.
package let apiGroup = "meridian.dev"

/// The manager of what Meridian's own verbs apply.
package let meridianManager = "meridian"

/// An object that the API stores and serves.
package protocol APIObject: Shaped {
    /// The kind as manifests write it.
    static var kind: String { get }
    var metadata: Metadata { get set }
}

extension APIObject {
    /// The object's identity.
    package var key: ObjectKey { ObjectKey(kind: Self.kind, namespace: metadata.namespace, name: metadata.name) }
}

/// A spec that belongs to one kind.
package protocol ResourceSpec: Shaped {
    /// The kind as manifests write it: `App`.
    static var kind: String { get }
    /// What is wrong with `name` as a name of this kind; nil where it is right.
    static func nameFault(_ name: String) -> String?
}

extension ResourceSpec {
    package static func nameFault(_ name: String) -> String? { nil }
}

/// An object with a spec that is wished for and a status that is observed.
package struct Resource<Spec: ResourceSpec, Status: Shaped>: APIObject {
    package static var kind: String { Spec.kind }

    package var apiVersion: String = apiVersionText
    package var kindName: String = Spec.kind
    package var metadata: Metadata = Metadata()
    package var spec: Spec = Spec()
    package var status: Status = Status()

    package init() {}

    package init(metadata: Metadata, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    package static var shape: Shape<Resource> { KeptShapes.shape(made: declaredShape) }

    private static func declaredShape() -> Shape<Resource> {
        Shape(
            Spec.kind,
            Spec.shape.summary,
            fields: [
                .init(required: "apiVersion", \.apiVersion, "The API's group and version.", .constant(apiVersionText)),
                .init(required: "kind", \.kindName, "The object's kind.", .constant(Spec.kind)),
                .init(required: "metadata", \.metadata, "What the object carries about itself."),
                .init("spec", \.spec, default: Spec(), Spec.shape.summary),
                .init("status", \.status, default: Status(), "What Meridian observes; written by Meridian alone."),
            ],
            rules: [
                ShapeRule { resource, path, context in
                    guard let fault = Spec.nameFault(resource.metadata.name) else { return }
                    let place = path["metadata"]["name"]
                    context.add(.invalid, at: place, "\(place): \(fault)")
                }
            ]
        )
    }
}

extension Constraint where Value == String {
    /// Exactly this text.
    package static func constant(_ text: String) -> Constraint {
        Constraint(
            describe: { $0.adding(["const": .string(text)]) },
            fault: { $0 == text ? nil : "must be \"\(text)\", got \"\($0.prefix(80))\"" }
        )
    }
}

/// A status that holds nothing.
package struct EmptyStatus: Shaped {
    package init() {}

    package static let shape: Shape<EmptyStatus> = Shape("EmptyStatus", "Nothing is observed.", fields: [])
}
