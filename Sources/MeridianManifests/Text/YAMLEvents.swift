// YAMLEvents: libyaml's event stream as Swift values.

internal import CYAML
internal import MeridianModel

/// One event of the YAML parser (yaml.h, `yaml_event_t`).
struct YAMLEvent {
    /// What the event says.
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        /// A scalar; `isPlain` when it was written without quotes and not as a block.
        case scalar(String, isPlain: Bool)
        case alias(String)
    }

    let kind: Kind
    let start: SourceLocation
    /// The node's anchor name.
    var anchor: String?
    /// The node's tag with its handle resolved.
    var tag: String?
}

/// The events of one buffer, which outlives this value.
struct YAMLEvents: ~Copyable {
    /// In memory of its own, since libyaml keeps pointers into the parser.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let lineOffset: Int

    /// Starts to read `bytes`, whose first line is number `firstLine` of its file.
    init(bytes: UnsafeBufferPointer<UInt8>, firstLine: Int = 1) {
        parser = .allocate(capacity: 1)
        lineOffset = firstLine
        parser.initialize(to: yaml_parser_t())
        // yaml_parser_initialize fails only without memory, where nothing else would work either.
        precondition(yaml_parser_initialize(parser) == 1, "libyaml found no memory for a parser")
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// The next event; after `streamEnd` only `streamEnd` again.
    ///
    /// After an error the stream is over.
    mutating func next() throws(TextProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { yaml_event_delete(&event) }
        return translated(event)
    }

    private func translated(_ event: yaml_event_t) -> YAMLEvent {
        let start = location(event.start_mark)
        switch event.type {
        case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, start: start)
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, start: start)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, start: start)
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, start: start)
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, start: start)
        case YAML_SEQUENCE_START_EVENT:
            let node = event.data.sequence_start
            return YAMLEvent(kind: .sequenceStart, start: start, anchor: text(node.anchor), tag: text(node.tag))
        case YAML_MAPPING_START_EVENT:
            let node = event.data.mapping_start
            return YAMLEvent(kind: .mappingStart, start: start, anchor: text(node.anchor), tag: text(node.tag))
        case YAML_SCALAR_EVENT:
            let node = event.data.scalar
            let value = String(decoding: UnsafeBufferPointer(start: node.value, count: node.length), as: UTF8.self)
            let kind = YAMLEvent.Kind.scalar(value, isPlain: node.style == YAML_PLAIN_SCALAR_STYLE)
            return YAMLEvent(kind: kind, start: start, anchor: text(node.anchor), tag: text(node.tag))
        case YAML_ALIAS_EVENT: return YAMLEvent(kind: .alias(text(event.data.alias.anchor) ?? ""), start: start)
        default: return YAMLEvent(kind: .streamEnd, start: start)
        }
    }

    private func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? { bytes.map { String(cString: $0) } }

    /// libyaml counts from 0, columns in characters.
    private func location(_ mark: yaml_mark_t) -> SourceLocation {
        SourceLocation(line: Int(mark.line) + lineOffset, column: Int(mark.column) + 1)
    }

    /// The parser's complaint, with where the unfinished part began if that is another line.
    private func problem() -> TextProblem {
        let state = parser.pointee
        var message = state.problem.map { String(cString: $0) } ?? "libyaml ran out of memory"
        guard state.error == YAML_SCANNER_ERROR || state.error == YAML_PARSER_ERROR else {
            return TextProblem(location: location(state.mark), message: message)
        }
        if let context = state.context {
            message += " \(String(cString: context))"
            let begun = location(state.context_mark)
            if begun.line != location(state.problem_mark).line { message += " that begins on line \(begun.line)" }
        }
        return TextProblem(location: location(state.problem_mark), message: message)
    }
}
