// ZygoteProgram: where the meridian-zygote program is.
internal import Glibc

/// The program that makes sandboxes.
package enum ZygoteProgram {
    /// Names another program than the one beside this executable.
    package static let environmentVariable = "MERIDIAN_ZYGOTE"

    /// The path of `meridian-zygote`: what `MERIDIAN_ZYGOTE` names, else the one in the directory of this executable;
    /// nil where there is none.
    package static func locate() -> String? {
        if let override = getenv(environmentVariable) {
            let path = String(cString: override)
            return access(path, X_OK) == 0 ? path : nil
        }
        guard let executable = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(executable) }
        let directory = String(cString: executable).split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(directory)/meridian-zygote"
        return access(path, X_OK) == 0 ? path : nil
    }
}
