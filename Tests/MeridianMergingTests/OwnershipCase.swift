// OwnershipCase: the cases of Cases/*.txt: reading them, and the small schema that ownership.txt speaks of.
import Glibc
import MeridianModel
import Testing

@testable import MeridianMerging

/// One block of a case file.
struct OwnershipCase: CustomTestStringConvertible {
    /// One line of a block: a word, up to two operands, a value, and what is said after `=>`.
    struct Step {
        let line: Int
        let verb: String
        let operands: [String]
        let value: JSONValue?
        let expectation: String
    }

    let file: String
    let name: String
    let steps: [Step]

    var testDescription: String { name }

    /// The cases of `Cases/<file>`.
    static func read(_ file: String) -> [OwnershipCase] {
        guard let resolved = realpath(#filePath, nil) else { return [] }
        defer { free(resolved) }
        let folder = String(cString: resolved).split(separator: "/").dropLast().joined(separator: "/")
        guard let stream = fopen("/\(folder)/Cases/\(file)", "r") else { return [] }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, stream), count > 0 { bytes += chunk[..<count] }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        var cases: [OwnershipCase] = []
        for block in lines.enumerated().split(whereSeparator: { $0.element.isEmpty }) {
            let said = block.filter { !$0.element.hasPrefix("#") }
            guard let title = said.first else { continue }
            let steps = said.dropFirst().map { step(String($0.element), line: $0.offset + 1) }
            cases.append(OwnershipCase(file: file, name: String(title.element), steps: steps))
        }
        return cases
    }

    private static func step(_ text: String, line: Int) -> Step {
        let sides = text.components(around: " => ")
        let words = sides[0].split(separator: " ").map(String.init)
        let start = sides[0].firstIndex { "{[".contains($0) } ?? sides[0].endIndex
        let isValue = ["apply", "force", "update", "clash", "fails", "is", "create", "loop"].contains(words[0])
        let plain = isValue ? sides[0][..<start].split(separator: " ").map(String.init) : words
        let value = isValue ? sides[0][start...] : ""
        return Step(
            line: line,
            verb: words[0],
            operands: Array(plain.dropFirst()),
            value: isValue ? (try? JSONValue(parsing: quoted(value.isEmpty ? "null" : value))) : nil,
            expectation: sides.count > 1 ? sides[1] : ""
        )
    }

    /// JSON of a text in which words stand without quotes.
    private static func quoted(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let character = rest.first {
            if character == "\"" {
                var isEscaped = false
                repeat {
                    let next = rest.removeFirst()
                    isEscaped = next == "\\" && !isEscaped
                    result.append(next)
                } while rest.first.map { $0 != "\"" || isEscaped } ?? false
                if let close = rest.popFirst() { result.append(close) }
                continue
            }
            let word = rest.prefix { $0.isLetter || $0.isNumber || "-_./".contains($0) }
            guard !word.isEmpty else {
                result.append(rest.removeFirst())
                continue
            }
            rest = rest.dropFirst(word.count)
            let isPlain = ["true", "false", "null"].contains(word) || Double(word) != nil
            result += isPlain ? String(word) : "\"\(word)\""
        }
        return result
    }

    /// The schema of ownership.txt.
    static let schema: MergeSchema = {
        let scalars: (String...) -> MergeType = { names in
            .map(fields: Dictionary(uniqueKeysWithValues: names.map { ($0, MergeType.scalar) }), others: nil)
        }
        let object = MergeType.map(
            fields: ["a": .scalar, "b": .scalar, "inner": scalars("c", "d")],
            others: nil
        )
        let item = MergeType.map(
            fields: ["name": .scalar, "value": .scalar, "tags": .set, "deep": scalars("x", "y")],
            others: nil
        )
        let ports = MergeType.keyed(
            [.init("port"), .init("protocol", fallback: "TCP")],
            item: scalars("port", "protocol", "name")
        )
        return MergeSchema(
            root: .map(
                fields: [
                    "name": .scalar, "number": .scalar, "flag": .scalar, "object": .named("object"),
                    "map": .map(fields: [:], others: .scalar),
                    "maps": .map(fields: [:], others: .map(fields: [:], others: .scalar)), "atomicMap": .atomic,
                    "atomicList": .atomic, "set": .set, "items": .keyed([.init("name")], item: .named("item")),
                    "ports": ports, "free": .deduced,
                ],
                others: nil
            ),
            types: ["object": object, "item": item]
        )
    }()
}

extension String {
    /// The parts before and after the first `separator`.
    fileprivate func components(around separator: String) -> [String] {
        guard let range = firstRange(of: separator) else { return [self] }
        return [String(self[..<range.lowerBound]), String(self[range.upperBound...])]
    }
}
