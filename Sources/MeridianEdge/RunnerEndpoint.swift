// RunnerEndpoint: where a runner is reached, and how the edge says that one is wanted.

/// A runner as the edge reaches it: 127.0.0.1:`port` inside a network namespace.
package struct RunnerEndpoint: Sendable, Hashable {
    /// Unique among the runners of the node.
    package let id: String
    /// A descriptor of the network namespace, valid until the edge has taken a set without the runner; -1 for the
    /// edge's own.
    package let networkNamespace: Int32
    package let port: UInt16
    /// Whether it was paused before it was handed to the edge: requests that waited for it are `warm`, not `cold`.
    package let isResumed: Bool

    package init(id: String, networkNamespace: Int32, port: UInt16, isResumed: Bool = false) {
        self.id = id
        self.networkNamespace = networkNamespace
        self.port = port
        self.isResumed = isResumed
    }
}

/// A request waits for want of a runner or of a free place on one.
package struct RunnerDemand: Sendable, Hashable {
    /// The key of the revision, `namespace/name`.
    package let revision: String

    package init(revision: String) { self.revision = revision }
}
