// SandboxShape: what a sandbox is made with before it is known which program it gets.
package import MeridianModel

/// The parts of a template that a sandbox is made with; the others come with the program.
///
/// Sandboxes of one shape can stand in for each other, so that they can be made before a request needs one.
package struct SandboxShape: Sendable, Hashable {
    /// Memory, above which the runner is killed.
    package let memory: ByteQuantity
    package let cpu: CPUQuantity
    /// Processes and threads together.
    package let pids: Int
    /// The size of the one tmpfs behind `$HOME` and `/tmp`.
    package let temporary: ByteQuantity
    /// Whether a throw-away writable layer lies over `/app`.
    package let filesWritable: Bool

    /// The shape that runners of the template need.
    package init(_ template: RunnerTemplate) {
        memory = template.memory
        cpu = template.cpu
        pids = template.pids
        temporary = template.temporary
        filesWritable = template.filesWritable
    }
}
