// AssignmentKeeper: takes assignments: newer ones only, saved before anything follows them.
internal import MeridianContent
package import MeridianModel
package import MeridianPorts
internal import MeridianRouting

/// The assignment in force, on disk and in the node.
package actor AssignmentKeeper {
    private let path: String
    private let edge: any NodeEdge
    private let assign: @Sendable (_ orders: [RevisionOrder], _ isComplete: Bool) -> Void
    private let onChange: @Sendable () -> Void
    private(set) var current: NodeAssignment?

    /// A thousand apps with ten revisions each take some 20 MB.
    private static let fileBytesMax = 256 << 20

    /// A keeper whose file is at `path`.
    ///
    /// `assign` hands the revisions to the runner supply; `onChange` is called when another assignment is in force and
    /// must not block.
    package init(
        path: String,
        edge: any NodeEdge,
        assign: @escaping @Sendable (_ orders: [RevisionOrder], _ isComplete: Bool) -> Void,
        onChange: @escaping @Sendable () -> Void
    ) {
        self.path = path
        self.edge = edge
        self.assign = assign
        self.onChange = onChange
    }

    /// The number of the assignment in force; 0 before the first.
    package var number: Int { current?.number ?? 0 }

    /// The bundles that the assignment in force may start.
    package var bundles: Set<Digest> { Set((current?.revisions ?? []).map(\.template.bundle)) }

    /// Puts the assignment of the last run in force, if there is one that can be read.
    ///
    /// - Throws: what is wrong with the file; the node then waits for its control plane.
    package func resume() async throws(NodeError) {
        let bytes: [UInt8]
        do throws(ContentError) {
            try DurableFile.removeUnfinished(of: path)
            bytes = try DurableFile.read(path, atMost: Self.fileBytesMax)
        } catch {
            if error.code == .notFound { return }
            throw NodeError(.refused, "the saved assignment cannot be read: \(error)")
        }
        var context = DecodingContext()
        guard let json = try? JSONValue(parsing: bytes),
            let saved = NodeAssignment.decode(json, at: FieldPath(), &context)
        else {
            throw NodeError(.refused, "\(path) is no assignment. It is replaced by the next one from the control plane")
        }
        try await putInForce(saved)
    }

    /// Takes an assignment that is newer than the one in force; the one in force again changes nothing.
    ///
    /// Returns when it is saved and every edge loop has its routes.
    ///
    /// - Throws: `.refused` for another one that is not newer: a lost control plane still speaks, or numbers were reused.
    package func take(_ assignment: NodeAssignment) async throws(NodeError) {
        guard assignment.number > number else {
            if assignment == current { return }
            throw NodeError(.refused, "assignment \(assignment.number) is not newer than \(number), which is in force")
        }
        do {
            _ = try CompiledRouteTable(assignment.routes)
        } catch {
            throw NodeError(.refused, "assignment \(assignment.number): its routes are refused: \(error)")
        }
        do throws(ContentError) {
            try DurableFile.write(assignment.encoded().utf8(), to: path, mode: 0o600)
        } catch {
            throw NodeError(.refused, "assignment \(assignment.number) cannot be saved: \(error)")
        }
        // A newer one may have come across an await; the last one wins, as it does on disk.
        guard assignment.number > number else { return }
        try await putInForce(assignment)
    }

    /// New revisions are known before routes lead to them, and old ones go after the routes have left them.
    private func putInForce(_ assignment: NodeAssignment) async throws(NodeError) {
        current = assignment
        let orders = Self.orders(of: assignment)
        assign(orders, false)
        edge.setCertificates(assignment.certificates)
        try await edge.apply(assignment.routes)
        if current?.number == assignment.number { assign(orders, true) }
        onChange()
    }

    private static func orders(of assignment: NodeAssignment) -> [RevisionOrder] {
        var timeouts: [String: Duration] = [:]
        for route in assignment.routes.hosts {
            for revision in route.revisions {
                timeouts[revision] = max(timeouts[revision] ?? .zero, route.requestTimeout)
            }
        }
        return assignment.revisions.map {
            RevisionOrder($0, requestTimeoutMax: timeouts[$0.key] ?? HostRoute().requestTimeout)
        }
    }
}
