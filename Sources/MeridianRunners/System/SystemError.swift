// SystemError: a call to the operating system that failed.
internal import Glibc

/// Which call failed, on what, and why.
struct SystemError: Error, Sendable, CustomStringConvertible {
    /// The call, with what it was about: `open /proc/1/ns/net`.
    let call: String
    /// errno.
    let code: Int32

    /// The failure of the call just made: `errno` is read here.
    init(_ call: String) {
        self.init(call, code: errno)
    }

    init(_ call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    var description: String { "\(call): \(errorWords(code))" }
}

/// The operating system's words for an error number: `No such file or directory`.
func errorWords(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
