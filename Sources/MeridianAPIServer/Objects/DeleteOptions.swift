// DeleteOptions: what a client asks of a deletion.
internal import MeridianModel

/// The fields of Kubernetes' DeleteOptions that matter here.
struct DeleteOptions {
    /// What becomes of the objects that name the deleted one as their owner.
    enum Propagation: String {
        /// They are deleted afterwards.
        case background = "Background"
        /// They are deleted first, and the owner stays until they are gone.
        case foreground = "Foreground"
        /// They stay and lose their owner.
        case orphan = "Orphan"
    }

    var isDryRun = false
    var uid: String?
    var resourceVersion: String?
    var propagation = Propagation.background

    /// A deletion now, without preconditions.
    init() {}

    /// The options of a request's body (nil where it is empty) and parameters.
    init(_ body: JSONValue?, _ parameters: QueryParameters) throws(APIFailure) {
        if let body {
            guard case .object = body else {
                throw .badRequest("DeleteOptions: expected an object, got \(body.typeName)")
            }
        }
        let dryRun = body?["dryRun"]?.array ?? []
        guard dryRun.allSatisfy({ $0 == "All" }) else { throw .badRequest("dryRun: only All is supported") }
        isDryRun = try parameters.isDryRun() || !dryRun.isEmpty
        uid = body?["preconditions"]?["uid"]?.string
        resourceVersion = body?["preconditions"]?["resourceVersion"]?.string
        if body?["orphanDependents"]?.bool == true { propagation = .orphan }
        guard let text = body?["propagationPolicy"]?.string ?? parameters["propagationPolicy"] else { return }
        guard let known = Propagation(rawValue: text) else {
            throw .badRequest(
                "propagationPolicy: \"\(text.prefix(80))\" is not one of Background, Foreground, Orphan"
            )
        }
        propagation = known
    }

    /// The finalizer by which the collector knows what to do with the dependents; nil where they go afterwards.
    var finalizer: String? {
        switch propagation {
        case .background: nil
        case .foreground: CollectorFinalizer.foreground
        case .orphan: CollectorFinalizer.orphan
        }
    }
}

/// Kubernetes' finalizers for owners whose dependents are seen to first.
enum CollectorFinalizer {
    static let foreground = "foregroundDeletion"
    static let orphan = "orphan"
}
