// ResponseLines: a streamed answer, line by line.
internal import AsyncHTTPClient
internal import NIOCore

/// The lines of an answer as they arrive, without their newlines; the next bytes are read when they are asked for.
///
/// It can be iterated once. Ending the iteration closes the connection. Errors are `APIClientError`.
package struct ResponseLines: AsyncSequence, Sendable {
    /// Longer lines are refused: the largest object (3 MiB) with its envelope is shorter.
    private static let lineBytesMax = 8 << 20

    private let bytes: AnswerBytes

    init(_ body: HTTPClientResponse.Body, from endpoint: HTTPEndpoint) { bytes = AnswerBytes(body, from: endpoint) }

    package func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes.makeAsyncIterator()) }

    /// Reads on until a line is complete.
    package struct Iterator: AsyncIteratorProtocol {
        private var bytes: AnswerBytes.Iterator
        private var pending = ByteBuffer()
        /// Bytes at the front of `pending` that are known to hold no newline.
        private var searched = 0
        private var hasEnded = false

        fileprivate init(bytes: AnswerBytes.Iterator) { self.bytes = bytes }

        package mutating func next() async throws -> [UInt8]? {
            while true {
                if let line = completeLine() { return line }
                guard !hasEnded else { return lastLine() }
                guard pending.readableBytes <= ResponseLines.lineBytesMax else {
                    throw APIClientError(
                        .malformed,
                        "\(bytes.endpoint.base) sent a line of more than \(ResponseLines.lineBytesMax) bytes"
                    )
                }
                if var chunk = try await bytes.nextBuffer() {
                    pending.discardReadBytes()
                    pending.writeBuffer(&chunk)
                } else {
                    hasEnded = true
                }
            }
        }

        private mutating func completeLine() -> [UInt8]? {
            let view = pending.readableBytesView
            guard let end = view.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) else {
                searched = view.count
                return nil
            }
            let line = pending.readBytes(length: end - view.startIndex)
            pending.moveReaderIndex(forwardBy: 1)
            searched = 0
            return line
        }

        private mutating func lastLine() -> [UInt8]? {
            searched = 0
            return pending.readableBytes == 0 ? nil : pending.readBytes(length: pending.readableBytes)
        }
    }
}

/// The lines of a log as text; bytes that are not UTF-8 are replaced.
package struct LogLines: AsyncSequence, Sendable {
    private let lines: ResponseLines

    init(_ lines: ResponseLines) { self.lines = lines }

    package func makeAsyncIterator() -> Iterator { Iterator(lines: lines.makeAsyncIterator()) }

    /// Turns each line into text.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var lines: ResponseLines.Iterator

        package mutating func next() async throws -> String? {
            try await lines.next().map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
