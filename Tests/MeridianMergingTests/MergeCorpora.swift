// MergeCorpora: the public test corpora of merging, beside the package.
import Glibc
import MeridianModel

/// A JSON file of `../shared/corpora`, which is absent from a plain check-out; nil, with a word, where it is absent.
func corpus(_ name: String) -> JSONValue? {
    // SwiftPM may compile a link to the sources: the real place is what `..` counts from.
    guard let resolved = realpath(#filePath, nil) else { return nil }
    defer { free(resolved) }
    let folder = String(cString: resolved).split(separator: "/").dropLast().joined(separator: "/")
    let path = "/\(folder)/../../../shared/corpora/\(name)"
    guard let file = fopen(path, "r") else {
        print("skipped: \(path) is missing")
        return nil
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return try? JSONValue(parsing: bytes, duplicateKeys: .lastWins)
}
