// Namespace: a room for names; what is in it goes with it.

/// A room for names.
package typealias Namespace = Resource<NamespaceSpec, NamespaceStatus>

/// `spec` of a Namespace; cluster-scoped.
package struct NamespaceSpec: ResourceSpec {
    package static let kind = "Namespace"

    /// Kubernetes' own finalizers of namespaces: taken from its clients, and without effect here.
    package var finalizers: [String] = []

    package init() {}

    package static let shape: Shape<NamespaceSpec> = Shape(
        "NamespaceSpec",
        "A room for names; what is in it goes with it.",
        fields: [
            .init("finalizers", \.finalizers, default: [], "Taken from Kubernetes' clients; without effect here.")
        ]
    )
}

/// `status` of a Namespace.
package struct NamespaceStatus: Shaped {
    package var phase: NamespacePhase = .active

    package init() {}

    package static let shape: Shape<NamespaceStatus> = Shape(
        "NamespaceStatus",
        "Whether a namespace takes new objects.",
        fields: [.init("phase", \.phase, default: .active, "Active, or Terminating while its objects are deleted.")]
    )
}

/// Whether a namespace takes new objects.
package enum NamespacePhase: String, WordShapeValue {
    case active = "Active"
    case terminating = "Terminating"
}
