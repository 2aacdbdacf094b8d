// FileError: a file operation of a build that failed.
internal import Glibc

/// A file operation that failed, with the path as people know it.
struct FileError: Error, CustomStringConvertible {
    /// `open`, `copy`, `list`: a verb that fits after "cannot".
    let operation: String
    let path: String
    let code: Int32
    /// Words in place of those for `code`.
    let words: String?

    init(_ operation: String, _ path: String, code: Int32 = errno, words: String? = nil) {
        self.operation = operation
        self.path = path
        self.code = code
        self.words = words
    }

    var description: String { "cannot \(operation) \(path): \(words ?? errorText(code))" }

    /// Whether the machine rather than the source is at fault, so that the same build may succeed later.
    var isTransient: Bool { [ENOSPC, EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, EROFS].contains(code) }
}

/// The C library's words for an error number.
func errorText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
