// AllowlistDiff: what a change means in syscalls, below the diff of its YAML.

internal import MeridianModel

/// The allowlists that are applied, and those of the server, by what may be called with them.
struct AllowlistDiff {
    private let declared: [String: JSONValue]
    private let api: any ControlPlaneAPI

    /// `objects` are those that are applied together.
    init(_ objects: [OutgoingObject], _ api: any ControlPlaneAPI) {
        let allowlists = objects.filter { $0.key.kind == SyscallAllowlistSpec.kind }
        declared = Dictionary(allowlists.map { ($0.key.name, $0.json) }, uniquingKeysWith: { first, _ in first })
        self.api = api
    }

    /// A line such as `# syscalls: +ptrace -socket` (with its newline) for an allowlist, or an app that gets another one;
    /// empty where the same calls may be made.
    ///
    /// A line that begins so is passed over by patch(1).
    func line(_ key: ObjectKey, live: JSONValue?, wanted: JSONValue) async throws -> String {
        switch key.kind {
        case SyscallAllowlistSpec.kind:
            let before = spec(live) ?? .webDefault
            // What is new is compared with what apps have that name no allowlist.
            let place = live == nil ? " against \(SyscallAllowlistSpec.defaultName)" : ""
            return words("syscalls\(place)", from: before, to: spec(wanted))
        case AppSpec.kind:
            guard let live else { return "" }
            let names = (before: Self.allowlist(of: live), after: Self.allowlist(of: wanted))
            guard names.before != names.after else { return "" }
            let before = spec(try await onServer(names.before))
            let after = if let object = declared[names.after] { object } else { try await onServer(names.after) }
            return words("syscalls of the app", from: before, to: spec(after))
        default:
            return ""
        }
    }

    private func words(_ what: String, from before: SyscallAllowlistSpec?, to after: SyscallAllowlistSpec?) -> String {
        // An allowlist that is nowhere is said elsewhere: the server sets a condition, `validate` warns.
        guard let before, let after else { return "" }
        let change = SyscallChange(from: before.syscalls, to: after.syscalls)
        return change.isEmpty ? "" : "# \(what): \(change.words())\n"
    }

    private func onServer(_ name: String) async throws -> JSONValue? {
        let stored = try await api.object(ObjectKey(kind: SyscallAllowlistSpec.kind, name: name))
        let isBuiltIn = stored == nil && name == SyscallAllowlistSpec.defaultName
        return isBuiltIn ? ["spec": SyscallAllowlistSpec.webDefault.encoded()] : stored
    }

    private static func allowlist(of app: JSONValue) -> String {
        app["spec"]?["syscalls"]?.string ?? SyscallAllowlistSpec.defaultName
    }

    private func spec(_ object: JSONValue?) -> SyscallAllowlistSpec? {
        var context = DecodingContext()
        return object?["spec"].flatMap { SyscallAllowlistSpec.decode($0, at: FieldPath(), &context) }
    }
}
