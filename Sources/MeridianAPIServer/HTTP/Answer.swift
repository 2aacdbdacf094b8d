// Answer: what the server sends back, before it is HTTP.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianModel
internal import NIOCore

/// One answer.
enum Answer {
    case json(Int, JSONValue)
    /// JSON under a media type of its own.
    case typedJSON(String, JSONValue)
    /// A document that clients keep until its tag changes.
    case document(APIDocument)
    /// The object that was written, in the client's form; 201 where it was created.
    case written(WriteOutcome, Representation)
    case text(Int, String)
    /// Text of a media type of its own.
    case typedText(String, String)
    case empty(Int)
    /// A body of unknown length that is written while the connection is open.
    case stream(String, @Sendable (StreamWriter) async throws -> Void)

    /// The answer as HTTP; a stream ends when the client of `request` has gone.
    func response(to request: Request) -> Response {
        switch self {
        case .json(let code, let value):
            Self.whole(code, "application/json", ByteBuffer(bytes: value.utf8()))
        case .typedJSON(let type, let value): Self.whole(200, type, ByteBuffer(bytes: value.utf8()))
        case .document(let document): Self.document(document, to: request)
        case .written(let outcome, let representation): Self.object(outcome, representation)
        case .typedText(let type, let text):
            Self.whole(200, type, ByteBuffer(string: text))
        case .text(let code, let text):
            Self.whole(code, "text/plain; charset=utf-8", ByteBuffer(string: text))
        case .empty(let code):
            Response(status: .init(code: code))
        case .stream(let type, let write):
            // Watching for the client's leaving uses up the connection, so it is not kept.
            Response(
                status: .ok,
                headers: [.contentType: type, .cacheControl: "no-store", .connection: "close"],
                body: ResponseBody { writer in
                    let lines = StreamWriter(writer)
                    try await request.body.consumeWithCancellationOnInboundClose { _ in try await write(lines) }
                    try await lines.finish()
                }
            )
        }
    }

    private static func document(_ document: APIDocument, to request: Request) -> Response {
        let tag = "\"\(document.tag)\""
        // An address that names the content's tag never has another content.
        let isPinned = request.uri.query?.contains("hash=\(document.tag)") == true
        let headers: HTTPFields = [
            .contentType: document.type, .eTag: tag, .vary: "Accept",
            .cacheControl: isPinned ? "public, immutable, max-age=31536000" : "no-cache, private",
        ]
        guard request.headers[.ifNoneMatch] != tag else { return Response(status: .notModified, headers: headers) }
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.bytes))
        )
    }

    private static func object(_ outcome: WriteOutcome, _ representation: Representation) -> Response {
        let code = outcome.change == .created ? 201 : 200
        let object = representation.object(outcome.object)
        var response = whole(code, "application/json", ByteBuffer(bytes: object.utf8()))
        if let name = HTTPField.Name("meridian-change") { response.headers[name] = outcome.change.rawValue }
        if let name = HTTPField.Name("warning") {
            for warning in outcome.warnings { response.headers.append(HTTPField(name: name, value: quoted(warning))) }
        }
        return response
    }

    /// A warning as the header holds it (RFC 7234 §5.5): what does not fit a quoted string is a question mark.
    private static func quoted(_ warning: String) -> String {
        var text = ""
        for scalar in warning.unicodeScalars {
            let isPlain = (0x20..<0x7F).contains(scalar.value)
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(isPlain ? scalar : "?")
        }
        return "299 - \"\(text)\""
    }

    private static func whole(_ code: Int, _ type: String, _ bytes: ByteBuffer) -> Response {
        Response(
            status: .init(code: code),
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: bytes)
        )
    }
}

/// Writes the lines of a streamed answer; each write waits until the client takes more.
///
/// Sendable although the writer inside is not declared so: it is used by one task at a time, since `write` is called in
/// sequence by the one task that produces the lines while the task that owns the response waits for it.
struct StreamWriter: @unchecked Sendable {
    /// A client that reads nothing must not hold up the server's own end.
    private static let finishDurationMax = Duration.seconds(5)

    private let writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    func write(line: [UInt8]) async throws {
        var buffer = ByteBufferAllocator().buffer(capacity: line.count + 1)
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        try await write(buffer)
    }

    func write(_ buffer: ByteBuffer) async throws {
        var writer = writer
        try await writer.write(buffer)
    }

    /// Ends the body, or throws where the client does not take the end in time; the connection is then cut.
    func finish() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await writer.finish(nil) }
            group.addTask {
                try await Task.sleep(for: Self.finishDurationMax)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
