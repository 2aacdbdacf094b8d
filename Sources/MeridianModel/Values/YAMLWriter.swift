// YAMLWriter: JSONValue as block-style YAML for people to read.

extension JSONValue {
    /// This value as one YAML document in block style, ending in a newline, without a `---` line.
    ///
    /// It reads back as an equal value under the YAML 1.2 core schema, and under YAML 1.1 too: a string that either would
    /// take for something else is quoted. Strings of several lines are literal blocks. A double that is not finite is
    /// written `null`, as in JSON.
    package var yamlText: String {
        var writer = YAMLWriter()
        writer.writeDocument(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// Appends a value to a growing byte array, two spaces per level; arrays stand at the indentation of their key.
struct YAMLWriter {
    /// libyaml takes a key for one only when its `:` follows within 1024 characters; a longer one needs a `? ` line.
    private static let simpleKeyBytesMax = 1000
    private static let step = 2

    private(set) var bytes: [UInt8] = []

    mutating func writeDocument(_ value: JSONValue) {
        switch value {
        case .object(let object) where !object.isEmpty: writeMembers(object, indent: 0)
        case .array(let elements) where !elements.isEmpty: writeElements(elements, indent: 0)
        default: writeScalarLine(value, indent: Self.step)
        }
    }

    /// Writes one line or block per member.
    ///
    /// When `inline`, the first stands where the line already is.
    private mutating func writeMembers(_ object: JSONObject, indent: Int, inline: Bool = false) {
        for (index, member) in object.members.enumerated() {
            if index > 0 || !inline { writeSpaces(indent) }
            writeKey(member.key, indent: indent)
            switch member.value {
            case .object(let object) where !object.isEmpty:
                append(":\n")
                writeMembers(object, indent: indent + Self.step)
            case .array(let elements) where !elements.isEmpty:
                append(":\n")
                writeElements(elements, indent: indent)
            default:
                append(": ")
                writeScalarLine(member.value, indent: indent + Self.step)
            }
        }
    }

    private mutating func writeElements(_ elements: [JSONValue], indent: Int, inline: Bool = false) {
        for (index, element) in elements.enumerated() {
            if index > 0 || !inline { writeSpaces(indent) }
            append("- ")
            switch element {
            case .object(let object) where !object.isEmpty:
                writeMembers(object, indent: indent + Self.step, inline: true)
            case .array(let elements) where !elements.isEmpty:
                writeElements(elements, indent: indent + Self.step, inline: true)
            default: writeScalarLine(element, indent: indent + Self.step)
            }
        }
    }

    private mutating func writeKey(_ key: String, indent: Int) {
        let text = YAMLString(key).isPlain ? key : YAMLString(key).quoted
        guard text.utf8.count > Self.simpleKeyBytesMax else { return append(text) }
        append("? \(text)\n")
        writeSpaces(indent)
    }

    /// Writes a scalar or an empty container, and the end of its line; block lines stand at `indent`.
    private mutating func writeScalarLine(_ value: JSONValue, indent: Int) {
        guard case .string(let text) = value else {
            append(value.text())
            return append("\n")
        }
        let string = YAMLString(text)
        if string.isPlain {
            append("\(text)\n")
        } else if string.isLiteralBlock {
            writeLiteralBlock(text, indent: indent)
        } else {
            append("\(string.quoted)\n")
        }
    }

    private mutating func writeLiteralBlock(_ text: String, indent: Int) {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // A reader guesses the indentation from the first line, unless that begins with white space.
        let guessable = text.utf8.first.map { !" \t\n".utf8.contains($0) } ?? true
        var chomping = "-"
        if lines.last?.isEmpty == true {
            lines.removeLast()
            chomping = lines.last?.isEmpty == true ? "+" : ""
        }
        append("|\(guessable ? "" : "\(Self.step)")\(chomping)\n")
        for line in lines {
            if !line.isEmpty { writeSpaces(indent) }
            bytes.append(contentsOf: line)
            append("\n")
        }
    }

    private mutating func writeSpaces(_ count: Int) {
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: count))
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
