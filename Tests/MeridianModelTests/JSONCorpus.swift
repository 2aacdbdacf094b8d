// JSONCorpus: finds and reads the public test corpora beside the package.

import Glibc

/// A folder of `../shared/corpora`, which is absent from a plain check-out.
struct JSONCorpus {
    let path: String

    /// The corpus `name`; its path may not exist.
    init(_ name: String) {
        let file = Self.realPath(#filePath) ?? #filePath
        let folder = file.split(separator: "/").dropLast().joined(separator: "/")
        path = "/\(folder)/../../../shared/corpora/\(name)"
    }

    /// Whether the corpus is there; says so when it is not.
    var isPresent: Bool {
        guard access(path, R_OK) == 0 else {
            print("skipped: no test corpus at \(path)")
            return false
        }
        return true
    }

    /// The names of its files that end in `suffix`, sorted.
    func files(_ suffix: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { bytes in
                bytes.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: bytes.pointee)) {
                    String(cString: $0)
                }
            }
            if name.hasSuffix(suffix) { names.append(name) }
        }
        return names.sorted()
    }

    /// All bytes of the file `name`.
    func bytes(of name: String) -> [UInt8] {
        guard let file = fopen("\(path)/\(name)", "r") else { return [] }
        defer { fclose(file) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { result += chunk[..<count] }
        return result
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
