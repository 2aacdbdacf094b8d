// TestFiles: the corpora beside the package, and temporary directories.

import Glibc

/// The folder `name` of `../shared/corpora`, which is absent from a plain check-out; nil, with a word, where it is absent.
func corpus(_ name: String) -> String? {
    guard let file = realpath(#filePath, nil) else { return nil }
    defer { free(file) }
    let folder = String(cString: file).split(separator: "/").dropLast().joined(separator: "/")
    let path = "/\(folder)/../../../shared/corpora/\(name)"
    guard access(path, R_OK) == 0 else {
        print("skipped: no test corpus at \(path)")
        return nil
    }
    return path
}

/// A directory that is removed with everything in it when the value goes away.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/meridian-manifests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXFailure(call: "mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Writes `text` to the file `name`, whose directories are made.
    func write(_ name: String, _ text: String) throws {
        var directory = path
        for part in name.split(separator: "/").dropLast() {
            directory += "/\(part)"
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
                throw POSIXFailure(call: "mkdir", code: errno)
            }
        }
        guard let file = fopen("\(path)/\(name)", "w") else { throw POSIXFailure(call: "fopen", code: errno) }
        defer { fclose(file) }
        fputs(text, file)
    }

    deinit { Self.removeTree(path) }

    /// Removes a file, or a directory with everything in it, as far as that is possible.
    private static func removeTree(_ path: String) {
        if let directory = opendir(path) {
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { bytes in
                    bytes.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: bytes.pointee)) {
                        String(cString: $0)
                    }
                }
                if name != ".", name != ".." { removeTree("\(path)/\(name)") }
            }
        }
        remove(path)
    }

    /// A system call that failed while a test was being set up.
    struct POSIXFailure: Error {
        let call: String
        let code: Int32
    }
}

/// A small seeded generator (Steele, Lea, Flood: SplitMix64), so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
