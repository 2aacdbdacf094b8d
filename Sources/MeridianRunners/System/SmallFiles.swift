// SmallFiles: reading, writing and listing the small files that the kernel and the logs are made of.
internal import Glibc

/// The kernel's files that are read here (cgroup counters, socket tables) and whole log files fit; a larger file is cut.
private let fileBytesMax = 4 << 20

/// The bytes of a file, at most 4 MiB of them.
func readFile(_ path: String) throws(SystemError) -> [UInt8] {
    try readFile(Descriptor.open(path, O_RDONLY), path)
}

/// The bytes of an open file from where it stands; `path` names it in errors.
private func readFile(_ file: Descriptor, _ path: String) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < fileBytesMax {
        let count = read(file.raw, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw SystemError("read \(path)") }
        guard count > 0 else { break }
        bytes.append(contentsOf: chunk[0..<count])
    }
    return bytes
}

/// The text of a file, at most 4 MiB of it.
func readText(_ path: String) throws(SystemError) -> String {
    String(decoding: try readFile(path), as: UTF8.self)
}

/// The text of an open file from where it stands, at most 4 MiB of it; `path` names it in errors.
func readText(_ file: Descriptor, _ path: String) throws(SystemError) -> String {
    String(decoding: try readFile(file, path), as: UTF8.self)
}

/// Writes one value into an existing file of the kernel's.
func writeValue(_ value: String, to path: String) throws(SystemError) {
    let file = try Descriptor.open(path, O_WRONLY)
    let bytes = Array(value.utf8)
    guard write(file.raw, bytes, bytes.count) == bytes.count else { throw SystemError("write \(value) to \(path)") }
}

/// The names in a directory without `.` and `..`, sorted.
func listDirectory(_ path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw SystemError("open \(path)") }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Makes a directory and those above it that are missing.
func makeDirectories(_ path: String) throws(SystemError) {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
        made += "/\(part)"
        guard mkdir(made, 0o755) == 0 || errno == EEXIST else { throw SystemError("make \(made)") }
    }
}

/// Whether there is a file or directory of that name.
func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }
