// AnswerBytes: a streamed answer, piece by piece.
internal import AsyncHTTPClient
internal import NIOCore

/// The bytes of an answer as they arrive; the next ones are read when they are asked for.
///
/// It can be iterated once. Ending the iteration closes the connection. Errors are `APIClientError`.
package struct AnswerBytes: AsyncSequence, Sendable {
    private let body: HTTPClientResponse.Body
    private let endpoint: HTTPEndpoint

    init(_ body: HTTPClientResponse.Body, from endpoint: HTTPEndpoint) {
        self.body = body
        self.endpoint = endpoint
    }

    package func makeAsyncIterator() -> Iterator { Iterator(body: body.makeAsyncIterator(), endpoint: endpoint) }

    /// Hands on each piece as it came.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var body: HTTPClientResponse.Body.AsyncIterator
        let endpoint: HTTPEndpoint

        package mutating func next() async throws -> [UInt8]? {
            try await nextBuffer().map { Array($0.readableBytesView) }
        }

        /// The next piece, uncopied.
        mutating func nextBuffer() async throws -> ByteBuffer? {
            do {
                return try await body.next()
            } catch let error as CancellationError {
                throw error
            } catch {
                throw endpoint.failure(error)
            }
        }
    }
}
