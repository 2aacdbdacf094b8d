// TestFolder: a temporary directory with files, and the root of the package.

import Glibc

/// A directory that is removed with everything in it when the value goes away.
final class TestFolder {
    let path: String

    /// A new directory that holds `files`, by their paths in it.
    init(_ files: [String: String] = [:]) throws {
        var template = Array("/tmp/meridian-commands-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SetUpFailure(words: "mkdtemp: \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for (name, text) in files { try write(name, text) }
    }

    /// Writes `text` to the file `name`, whose directories are made.
    func write(_ name: String, _ text: String) throws {
        var directory = path
        for part in name.split(separator: "/").dropLast() {
            directory += "/\(part)"
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw SetUpFailure(words: "mkdir: \(errno)") }
        }
        guard let file = fopen("\(path)/\(name)", "w") else { throw SetUpFailure(words: "fopen: \(errno)") }
        defer { fclose(file) }
        fputs(text, file)
    }

    deinit { removeTree(path) }
}

/// Something that a test needs could not be made.
struct SetUpFailure: Error {
    let words: String
}

/// The names in a directory, sorted, without those that begin with a dot; nil where it cannot be read.
func names(in path: String) -> [String]? {
    guard let directory = opendir(path) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { bytes in
            bytes.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: bytes.pointee)) {
                String(cString: $0)
            }
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
}

/// The text of a file; nil where it cannot be read.
func text(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}

/// The root of the package, found from this file through links.
func packageRoot() -> String? {
    let here = #filePath
    let folder = String(here[..<(here.lastIndex(of: "/") ?? here.startIndex)])
    guard let real = realpath(folder, nil) else { return nil }
    defer { free(real) }
    return "/" + String(cString: real).split(separator: "/").dropLast(2).joined(separator: "/")
}

private func removeTree(_ path: String) {
    for name in names(in: path) ?? [] { removeTree("\(path)/\(name)") }
    remove(path)
}
