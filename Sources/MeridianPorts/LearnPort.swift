// LearnPort: finding out which syscalls an app makes, as the API server asks for it.
package import MeridianModel

/// Runs apps to see which syscalls they make.
package protocol LearnPort: Sendable {
    /// Runs the app's newest built revision for as long as the settings say, and answers which syscalls it made.
    func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws(BackendError) -> SyscallLesson
}
