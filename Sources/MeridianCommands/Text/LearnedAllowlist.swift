// LearnedAllowlist: the smallest allowlist for what an app was seen to call, as a manifest that says why.

internal import MeridianModel

/// A SyscallAllowlist manifest with a comment per group.
struct LearnedAllowlist {
    private let lesson: SyscallLesson
    private let name: String

    init(_ lesson: SyscallLesson, name: String) {
        self.lesson = lesson
        self.name = name
    }

    /// The manifest, which `meridian apply -f -` takes as it is.
    var text: String {
        let granted = Set(lesson.syscalls).subtracting(lesson.refused)
        var lines = origin
        lines += ["apiVersion: meridian.dev/v1", "kind: SyscallAllowlist", "metadata: {name: \(name)}", "spec:"]
        lines.append(granted.isEmpty ? "  allow: []" : "  allow:")
        for group in SyscallGroup.allCases {
            let made = group.syscalls.filter(granted.contains)
            guard !made.isEmpty else { continue }
            lines.append("    # \(group.rawValue): \(group.purpose); \(made.count) of \(group.syscalls.count)")
            lines += made.map { "    - \($0)" }
        }
        let single = granted.subtracting(SyscallGroup.allCases.flatMap(\.syscalls)).sorted()
        if !single.isEmpty { lines.append("    # in no group") }
        lines += single.map { "    - \($0) # \(words($0))" }
        if !lesson.refused.isEmpty {
            lines.append("    # tried and refused; think twice before one of them is allowed")
        }
        lines += lesson.refused.map { "    # - \($0) # \(words($0))" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// How it came about.
    private var origin: [String] {
        var lines = ["# What \(lesson.revision) called in \(seconds(lesson.elapsed)). Its port check: \(lesson.check)."]
        lines += lesson.requests.map { request in
            let times = request.count == 1 ? "once" : "\(request.count) times"
            return "# GET \(request.path) was sent \(times); the last: \(request.answer)."
        }
        lines.append("# Starting and ending (execve, exit, exit_group, rt_sigreturn) is always allowed.")
        return lines.map(oneLine)
    }

    private func words(_ syscall: String) -> String {
        guard let facts = SyscallFacts.all[syscall] else { return "not known" }
        return "risk \(facts.risk.rawValue): \(facts.purpose)"
    }

    private func seconds(_ duration: Duration) -> String { "\(duration.components.seconds)s" }

    /// What a program printed or was asked must not end the comment.
    private func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 } ?? false ? " " : $0 })
    }
}
