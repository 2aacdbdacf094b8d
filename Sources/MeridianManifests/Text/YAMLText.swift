// YAMLText: all documents of a YAML text, read on past broken ones.

internal import MeridianModel

/// Reading of YAML streams.
enum YAMLText {
    /// A person mends these before reading further ones; a text of nothing but faults is not read to its end.
    static let problemsMax = 100

    /// The documents of `bytes`, which passed `TextEncoding.problem(in:)` and has no byte order mark.
    ///
    /// A document with a problem is left out. Where a document breaks off, reading goes on at the next `---` line, so that one
    /// run reports what is wrong with every document.
    static func read(_ bytes: [UInt8]) -> ParsedText {
        bytes.withUnsafeBufferPointer { buffer in
            var result = ParsedText()
            var start = LinePosition(offset: 0, line: 1)
            // Each turn starts at a later line, so the loop ends.
            while true {
                let part = UnsafeBufferPointer(rebasing: buffer[start.offset...])
                guard let broken = readPart(part, firstLine: start.line, into: &result) else { return result }
                let resume = max(broken.problem.location.line, broken.documentLine + 1, start.line + 1)
                guard result.problems.count < problemsMax,
                    let next = nextDocumentLine(in: buffer, from: start, notBefore: resume)
                else { return result }
                start = next
            }
        }
    }

    /// The beginning of a line of the text.
    private struct LinePosition {
        var offset: Int
        var line: Int
    }

    /// Reads the documents of `bytes` up to the fault that ends it, which is returned with the line of its document.
    private static func readPart(
        _ bytes: UnsafeBufferPointer<UInt8>,
        firstLine: Int,
        into result: inout ParsedText
    ) -> (problem: TextProblem, documentLine: Int)? {
        var composer = YAMLComposer(bytes: bytes, firstLine: firstLine)
        do throws(TextProblem) {
            while case .document(let document) = try composer.nextDocument() {
                result.problems += composer.problems
                if let document { result.documents.append(document) }
            }
            return nil
        } catch {
            result.problems += composer.problems
            result.problems.append(explained(error, in: bytes, firstLine: firstLine))
            return (error, composer.documentStart.line)
        }
    }

    /// The first `---` line that is not before `line`.
    private static func nextDocumentLine(
        in bytes: UnsafeBufferPointer<UInt8>,
        from start: LinePosition,
        notBefore line: Int
    ) -> LinePosition? {
        var position = start
        repeat {
            let rest = UnsafeBufferPointer(rebasing: bytes[position.offset...])
            if position.line >= line, rest.starts(with: "---".utf8), rest.count == 3 || rest[3] <= 0x20 {
                return position
            }
            position.offset += lineLength(in: rest)
            position.line += 1
        } while position.offset < bytes.count
        return nil
    }

    /// The length of the first line with its end, where lines end as libyaml counts them (YAML 1.1 §4.1.4).
    private static func lineLength(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case 0x0A: return index + 1
            case 0x0D: return index + 1 < bytes.count && bytes[index + 1] == 0x0A ? index + 2 : index + 1
            case 0xC2 where index + 1 < bytes.count && bytes[index + 1] == 0x85: return index + 2
            case 0xE2 where index + 2 < bytes.count && bytes[index + 1] == 0x80 && bytes[index + 2] & 0xFE == 0xA8:
                return index + 3
            default: continue
            }
        }
        return bytes.count
    }

    /// `problem` in plainer words where libyaml's are known to puzzle people.
    private static func explained(
        _ problem: TextProblem,
        in bytes: UnsafeBufferPointer<UInt8>,
        firstLine: Int
    ) -> TextProblem {
        var offset = 0
        for _ in firstLine..<max(firstLine, problem.location.line) {
            offset += lineLength(in: UnsafeBufferPointer(rebasing: bytes[offset...]))
        }
        let column = problem.location.column - 1
        let before = bytes[offset...].prefix(column)
        guard before.count == column, offset + column < bytes.count, bytes[offset + column] == 0x09,
            before.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: "-") })
        else { return problem }
        return TextProblem(
            location: problem.location,
            message: "a tab cannot indent YAML. Use spaces (\(problem.message))"
        )
    }
}
