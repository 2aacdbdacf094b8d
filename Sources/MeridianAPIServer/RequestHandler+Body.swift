// RequestHandler+Body: reading what a client sends, within bounds.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianManifests
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore
internal import Synchronization

extension RequestHandler {
    /// The media type of the body, lower case, without parameters; empty where none is named.
    func mediaType(of request: Request) -> String {
        let type = request.headers[.contentType] ?? ""
        return type.prefix { $0 != ";" }.lowercased().trimmingSpaces
    }

    /// The JSON body; 400 where there is none.
    func requiredBody(_ request: Request, types: [String] = ["application/json"]) async throws(APIFailure) -> JSONValue
    {
        guard let body = try await body(request, types: types) else { throw .badRequest("the request has no body") }
        return body
    }

    /// The JSON body; nil where it is empty.
    ///
    /// Media types of forms are not taken. A body without a type could come from a foreign page in a browser; those are
    /// known by their Origin (`checkLoopback`).
    func body(_ request: Request, types: [String] = ["application/json"]) async throws(APIFailure) -> JSONValue? {
        guard let bytes = try await bytes(request, types: types) else { return nil }
        if mediaType(of: request) == protobufMediaType { return try protobufBody(bytes) }
        return try parsed { () throws(JSONSyntaxError) in try JSONValue(parsing: bytes) }
    }

    /// The JSON or YAML body that an object is written from; fields that it gives twice are noted in `options`.
    func objectBody(
        _ request: Request,
        _ options: inout WriteOptions,
        types: [String] = ["application/json"]
    ) async throws(APIFailure) -> JSONValue {
        guard let bytes = try await bytes(request, types: types) else { throw .badRequest("the request has no body") }
        let type = mediaType(of: request)
        if type == protobufMediaType { return try protobufBody(bytes) }
        if Self.yamlTypes.contains(type), !beginsLikeJSON(bytes) { return try yamlBody(bytes) }
        let (value, duplicates) = try parsed { () throws(JSONSyntaxError) in try JSONValue.parsedWithDuplicates(bytes) }
        options.duplicateFields = duplicates
        return value
    }

    /// Media types under which YAML is sent; most clients send JSON under them, which is YAML as well.
    private static let yamlTypes = [yamlMediaType, PatchType.apply.rawValue]

    private func beginsLikeJSON(_ bytes: [UInt8]) -> Bool {
        bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }

    /// The one object of a YAML text; 400 with line and column where it has another number of them or is broken.
    private func yamlBody(_ bytes: [UInt8]) throws(APIFailure) -> JSONValue {
        let text = ManifestText.read(bytes, file: "the body")
        if let first = text.diagnostics.first { throw .badRequest("strict decoding error: \(first)") }
        guard text.documents.count == 1 else {
            throw .badRequest("the body must be one YAML document; it has \(text.documents.count) objects")
        }
        return text.documents[0].value
    }

    private func parsed<Value>(_ parse: () throws(JSONSyntaxError) -> Value) throws(APIFailure) -> Value {
        do throws(JSONSyntaxError) { return try parse() } catch {
            throw .badRequest("strict decoding error: the body is not the JSON that is taken here: \(error)")
        }
    }

    /// The bytes of the body; nil where there are none.
    private func bytes(_ request: Request, types: [String]) async throws(APIFailure) -> [UInt8]? {
        let bytes: ByteBuffer
        do {
            bytes = try await request.body.collect(upTo: Self.bodyBytesMax)
        } catch is NIOTooManyBytesError {
            throw .tooLarge("the body is larger than \(Self.bodyBytesMax) bytes")
        } catch {
            throw .badRequest("the body did not arrive: \(error)")
        }
        guard bytes.readableBytes > 0 else { return nil }
        // Old clients name no type for JSON.
        let given = mediaType(of: request)
        let type = given.isEmpty ? "application/json" : given
        guard types.contains(type) else {
            throw .mediaType("the body was \"\(type.prefix(80))\"; supported: \(types.joined(separator: ", "))")
        }
        return Array(bytes.readableBytesView)
    }

    /// Takes a blob, piece by piece as its file takes it.
    func receive(_ digest: Digest, _ request: Request) async throws(APIFailure) -> Answer {
        if let text = request.headers[.contentLength], let length = Int(text), length > Self.blobBytesMax {
            throw Self.blobTooLarge
        }
        let chunks = BlobChunks(request.body)
        do throws(BackendError) {
            try await backends.blobs.receive(digest, chunks)
        } catch {
            throw chunks.isTooLarge ? Self.blobTooLarge : APIFailure(error)
        }
        return .json(201, ["digest": .string(digest.description)])
    }

    fileprivate static var blobTooLarge: APIFailure {
        .tooLarge("a blob may have \(blobBytesMax >> 20) MB at most; list what is not needed in .gitignore")
    }
}

/// The body of an upload in pieces; throws once more than `blobBytesMax` bytes came.
private final class BlobChunks: AsyncSequence, Sendable {
    private let body: RequestBody
    private let tooLarge = Mutex(false)

    init(_ body: RequestBody) { self.body = body }

    /// Whether the iteration ended since too many bytes came.
    var isTooLarge: Bool { tooLarge.withLock { $0 } }

    func makeAsyncIterator() -> Iterator { Iterator(body: body.makeAsyncIterator(), owner: self) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var body: RequestBody.AsyncIterator
        fileprivate let owner: BlobChunks
        private var count = 0

        fileprivate init(body: RequestBody.AsyncIterator, owner: BlobChunks) {
            self.body = body
            self.owner = owner
        }

        mutating func next() async throws -> [UInt8]? {
            guard let chunk = try await body.next() else { return nil }
            count += chunk.readableBytes
            guard count <= RequestHandler.blobBytesMax else {
                owner.tooLarge.withLock { $0 = true }
                throw RequestHandler.blobTooLarge
            }
            return Array(chunk.readableBytesView)
        }
    }
}

extension String {
    fileprivate var trimmingSpaces: String { String(self[...].trimmed) }
}
