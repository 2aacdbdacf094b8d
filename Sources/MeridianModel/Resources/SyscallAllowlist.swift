// SyscallAllowlist: the syscalls that an app's runners may make.

/// Named groups of syscalls, and single ones, that runners may make.
package typealias SyscallAllowlist = Resource<SyscallAllowlistSpec, SyscallAllowlistStatus>

/// `spec` of a SyscallAllowlist; cluster-scoped.
package struct SyscallAllowlistSpec: ResourceSpec {
    package static let kind = "SyscallAllowlist"
    /// The allowlist of an app that names none; it exists although nobody declared it.
    package static let defaultName = "web-default"

    package var groups: [SyscallGroup] = []
    package var allow: [String] = []
    package var deny: [String] = []
    package var onDenied: DeniedSyscallAction = .errno

    package init() {}

    /// Every group, nothing else: what `web-default` is where nobody declared it.
    package static var webDefault: SyscallAllowlistSpec {
        var spec = SyscallAllowlistSpec()
        spec.groups = SyscallGroup.allCases
        return spec
    }

    /// The names that may be called, sorted: the groups' and `allow`, without `deny`.
    package var syscalls: [String] {
        Set(groups.flatMap(\.syscalls)).union(allow).subtracting(deny).sorted()
    }

    package static let shape: Shape<SyscallAllowlistSpec> = Shape(
        "SyscallAllowlistSpec",
        "The syscalls that an app's runners may make.",
        fields: [
            .init("groups", \.groups, default: [], "Named groups of syscalls.", .unordered()),
            .init("allow", \.allow, default: [], "Single syscalls beyond the groups.", .syscallNames, .unordered()),
            .init(
                "deny",
                \.deny,
                default: [],
                "Single syscalls of the groups that are refused.",
                .syscallNames,
                .unordered()
            ),
            .init("onDenied", \.onDenied, default: .errno, "What a refused syscall meets."),
        ],
        rules: [
            ShapeRule { spec, path, context in
                guard let name = spec.allow.first(where: spec.deny.contains) else { return }
                context.add(.invalid, at: path["deny"], "\(path).deny: \"\(name)\" is in allow too; remove one")
            }
        ]
    )
}

extension Constraint where Value == [String] {
    /// Names of x86_64 syscalls.
    package static var syscallNames: Constraint {
        .rule { names in
            guard let unknown = names.first(where: { !syscallNamesKnown.contains($0) }) else { return nil }
            let hint = suggestion(for: unknown, among: syscallNamesKnown.sorted()).map { "; did you mean \"\($0)\"?" }
            return "unknown syscall \"\(unknown)\"\(hint ?? "")"
        }
    }
}

private let syscallNamesKnown = Set(syscallNames)

/// `status` of a SyscallAllowlist.
package struct SyscallAllowlistStatus: Shaped {
    package var observedGeneration: Int = 0
    package var conditions: [Condition] = []

    package init() {}

    package static let shape: Shape<SyscallAllowlistStatus> = Shape(
        "SyscallAllowlistStatus",
        "What Meridian observes of an allowlist.",
        fields: [
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation that was looked at."),
            .init("conditions", \.conditions, default: [], "Ready.", .keyed(by: "type")),
        ]
    )
}
