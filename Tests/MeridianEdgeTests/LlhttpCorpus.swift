// LlhttpCorpus: the request inputs of llhttp's own tests, where they lie beside the project.
import Glibc

/// The request inputs of the llhttp corpus: fenced blocks marked `http`, with its escapes written out.
func llhttpInputs() -> [[UInt8]] {
    guard let file = realpath(#filePath, nil) else { return [] }
    defer { free(file) }
    let root = String(cString: file).split(separator: "/").dropLast(3).joined(separator: "/")
    let folder = "/\(root)/../shared/corpora/llhttp/test/request"
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var inputs: [[UInt8]] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasSuffix(".md") { inputs += fencedBlocks(readText("\(folder)/\(name)")) }
    }
    return inputs
}

private func readText(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}

private func fencedBlocks(_ text: String) -> [[UInt8]] {
    var blocks: [[UInt8]] = []
    var lines: [Substring]?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```http") {
            lines = []
        } else if line.hasPrefix("```"), let block = lines {
            // In the corpus a line end stands for CR LF, and \r, \n and \t are written out.
            let joined = block.joined(separator: "\r\n").replacing("\\r", with: "\r").replacing("\\n", with: "\n")
            blocks.append(Array(joined.replacing("\\t", with: "\t").utf8))
            lines = nil
        } else {
            lines?.append(line)
        }
    }
    return blocks
}
