// SyscallFilterError: why an allowlist gives no filter.

/// Why an allowlist could not be compiled.
package enum SyscallFilterError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No syscall of that name exists on x86_64.
    case unknownName(String, suggestion: String?)
    /// libseccomp failed at a step with an errno.
    case library(String, Int32)

    package var description: String {
        switch self {
        case .unknownName(let name, let suggestion):
            "no syscall is named \"\(name)\"" + (suggestion.map { ". Did you mean \"\($0)\"?" } ?? "")
        case .library(let step, let code):
            "libseccomp could not \(step): \(errorWords(code))"
        }
    }
}
