// TestFiles: directories and archives to test on.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

/// Runs `body` with a directory that is deleted afterwards.
func withDirectory(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/meridian-content-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let directory = String(cString: made)
    do {
        try body(directory)
    } catch {
        try DurableFile.remove(directory)
        throw error
    }
    try DurableFile.remove(directory)
}

/// Writes files below `root`, making their directories; a text that begins with `-> ` is a symbolic link.
func makeTree(_ root: String, _ files: [String: String]) throws {
    for (path, text) in files {
        let full = "\(root)/\(path)"
        try DurableFile.createDirectory(DurableFile.directory(of: full))
        if text.hasPrefix("-> ") {
            #expect(symlink(String(text.dropFirst(3)), full) == 0)
        } else {
            try DurableFile.write(Array(text.utf8), to: full)
        }
    }
}

/// The text of a file.
func text(_ path: String) throws -> String { String(decoding: try DurableFile.read(path), as: UTF8.self) }

/// Runs a program and answers its exit status and output; nil where it is not installed.
func run(_ command: String) -> (status: Int32, output: String)? {
    guard let pipe = popen("\(command) 2>&1", "r") else { return nil }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = fread(&buffer, 1, buffer.count, pipe)
        if count == 0 { break }
        output += buffer[..<count]
    }
    let status = pclose(pipe)
    // A shell answers 127 for a program that is not there.
    return status >> 8 == 127 ? nil : (status >> 8, String(decoding: output, as: UTF8.self))
}

/// An archive of raw headers, each with its body, closed by two zero blocks.
func rawArchive(_ entries: [(header: TarHeader, body: String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (header, body) in entries {
        bytes += header.block
        bytes += body.utf8
        bytes += [UInt8](repeating: 0, count: tarPadding(after: body.utf8.count))
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
}

func file(_ name: String, mode: UInt32 = 0o644, size: Int = 0) -> TarHeader {
    TarHeader(name: name, kind: .file, mode: mode, size: size)
}

func link(_ name: String, _ target: String, kind: TarHeader.Kind = .symbolicLink) -> TarHeader {
    TarHeader(name: name, kind: kind, mode: 0o777, size: 0, target: target)
}
