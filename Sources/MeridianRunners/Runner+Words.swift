// Runner+Words: how a runner ended, or why it never ran, in words that lead on.
internal import CZygote
internal import Glibc
internal import MeridianModel
internal import MeridianPorts

extension Runner {
    /// A wait status in words (wait(2)); memory is asked about before the cgroup is removed.
    func describe(_ status: Int32) -> RunnerEnd {
        let signal = status & 0x7f
        if signal == 0 {
            let code = (status >> 8) & 0xff
            return RunnerEnd(cause: .code(code), message: "exited with code \(code)")
        }
        if signal == SIGKILL, let cgroup = shell.cgroup, cgroup.outOfMemoryKills > 0 {
            let message = "killed by signal 9 (out of memory: limit \(template.memory))"
            return RunnerEnd(cause: .outOfMemory, message: message)
        }
        if signal == SIGSYS {
            // Denied syscalls end here only where the kernel cannot tell their names; see `protections`.
            let message = "killed by signal 31 (usually a call of another architecture: int 0x80). Build for x86_64"
            return RunnerEnd(cause: .signal(signal), message: message)
        }
        return RunnerEnd(cause: .signal(signal), message: "killed by signal \(signal)")
    }

    /// The end of a runner that was killed for a syscall outside its allowlist.
    func describe(deniedSyscall name: String) -> RunnerEnd {
        let why = DeniedWords.message([name], allowed: template.syscalls)
        return RunnerEnd(cause: .deniedSyscall(name), message: "killed: \(why), or set `onDenied: errno`")
    }

    /// The bundle's files are given to the runner by an id-mapped mount below an overlay (mount_setattr(2)).
    private static let overlayNeeds =
        ". spec.files.writable needs Linux 5.19, and a data directory on ext4, xfs or btrfs"

    func startFailure(_ failure: (step: Int32, error: Int32)?, _ end: RunnerEnd) -> RunnerError {
        guard let failure else { return RunnerError(reason: "SandboxUnavailable", message: "\(id): \(end.message)") }
        guard failure.step == Int32(MZ_STEP_EXECUTE.rawValue) else {
            let what = "cannot \(stepWords(failure.step)): \(errorWords(failure.error))"
            let next = failure.step == Int32(MZ_STEP_OVERLAY.rawValue) ? Self.overlayNeeds : ""
            return RunnerError(reason: "SandboxUnavailable", message: "\(id): \(what)\(next)")
        }
        return RunnerError(reason: "CannotExecute", message: cannotExecute(failure.error))
    }

    private func cannotExecute(_ code: Int32) -> String {
        let next =
            switch code {
            case ENOEXEC: "It is no x86_64 executable. Build it for linux/x86_64"
            case ENOENT:
                "The file, or the interpreter or loader that it names, is not in the sandbox. Link it statically "
                    + "or build against the system's C library"
            case EACCES: "It is not executable. Set the executable bit (chmod +x) in the source or the build"
            default: "Check spec.build.output"
            }
        return "/app/\(template.executable) cannot be executed: \(errorWords(code)). \(next)"
    }
}
