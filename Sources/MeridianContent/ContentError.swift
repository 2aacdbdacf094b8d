// ContentError: why a file, an archive or a sealed text was not read or written.
internal import Glibc

/// A failure on content: the message names the file or entry, the reason and the next step.
package struct ContentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// There is no such file.
        case notFound
        /// The content breaks a rule or a bound: unsafe archive entry, too large, wrong kind of file.
        case refused
        /// The bytes are not what they claim to be: bad checksum, truncated, tampered with.
        case corrupted
        /// The operating system said no: disk full, permissions, I/O error.
        case unavailable
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

extension ContentError {
    /// The error of a system call that failed just now: `cannot open /x: No such file or directory`.
    ///
    /// Reads `errno`, so nothing may come between the call and this. ENOENT becomes `.notFound`; what means that
    /// something of another kind is in the way (EEXIST, ENOTDIR, ELOOP) becomes `.refused`.
    package static func system(_ doing: String, _ path: String) -> ContentError {
        let number = errno
        let reason = String(cString: strerror(number))
        let next = number == ENOSPC || number == EDQUOT ? ". Free space on the disk and try again" : ""
        let code: Code =
            switch number {
            case ENOENT: .notFound
            case EEXIST, ENOTDIR, ELOOP: .refused
            default: .unavailable
            }
        return ContentError(code, "cannot \(doing) \(path): \(reason)\(next)")
    }
}
