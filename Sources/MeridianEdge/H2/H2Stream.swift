// H2Stream: one HTTP/2 stream as the loop uses it: a socket on which HTTP/1.1 is spoken.
internal import Glibc

/// A stream's bytes on their way in both directions.
///
/// The rest of the loop reads the request from it as HTTP/1.1 text and writes the answer to it as HTTP/1.1 text, so that
/// routing, waiting, retries and deadlines are the same for both protocols, and so are the checks of the head.
final class H2Stream {
    /// How the request's body is written after its head.
    enum Upload {
        case none
        /// As it is: its length stands in the head, or it is a tunnel's.
        case plain
        case chunked
    }

    /// What the answer's next bytes are.
    enum Answering {
        case head, body, tunnel
    }

    /// Answer bytes that wait for the client's windows: one read of a large body.
    static let outboxMax = Buffer.capacity

    let id: Int32
    unowned let session: H2Session
    /// The place in the loop's table; -1 before the request and after its end.
    var slot: Int32 = -1

    var head = RequestText()
    var upload = Upload.none
    private var headText = ByteQueue()
    private var inbox = ByteQueue()
    private var trailers: [UInt8] = []
    /// The last chunk and the trailers.
    private var ending = ByteQueue()
    private(set) var isInputEnded = false
    private var isEndWritten = false

    var answering = Answering.head
    var tracker = BodyTracker()
    var outbox = ByteQueue()
    var answerTrailers: [UInt8] = []
    /// Whether anything but the empty line follows the last chunk.
    var hasTrailers: Bool { answerTrailers.count > 2 }
    /// Bytes of the request that nobody has taken.
    var unreadCount: Int { inbox.count }
    /// The last byte of the answer is in the outbox.
    var isOutputEnded = false
    /// nghttp2 waits to be told of more bytes.
    var isDeferred = false
    /// The loop was told that the outbox is full.
    var isBlocked = false

    init(id: Int32, session: H2Session) {
        self.id = id
        self.session = session
    }

    /// The request's head is complete; false where it cannot be written as HTTP/1.1.
    func completeHead(endsStream: Bool, key: @autoclosure () -> [UInt8]) -> Bool {
        isInputEnded = endsStream
        guard let (text, upload) = head.finished(endsStream: endsStream, websocketKey: key) else { return false }
        headText.append(text)
        self.upload = upload
        return true
    }

    /// Takes request bytes that came with an HTTP/1.1 head (an upgrade) as they are.
    func adoptHead(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        headText.append(bytes, count)
        isInputEnded = true
    }

    func receive(_ bytes: UnsafePointer<UInt8>, _ count: Int) { inbox.append(bytes, count) }

    /// Takes a trailer field of the request.
    func receiveTrailer(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        trailers += Array(name) + Array(": ".utf8) + Array(value) + Array("\r\n".utf8)
    }

    func endInput() { isInputEnded = true }

    /// The request as HTTP/1.1 text: bytes, 0 at the end, -EAGAIN where more is to come.
    func read(_ memory: Bytes, _ room: Int) -> Int {
        if headText.count > 0 { return headText.take(memory, room) }
        switch upload {
        case .none: return isInputEnded ? 0 : -Int(EAGAIN)
        case .plain:
            let taken = inbox.take(memory, room)
            if taken == 0 { return isInputEnded ? 0 : -Int(EAGAIN) }
            session.consume(self, taken)
            return taken
        case .chunked: return readChunk(memory, room)
        }
    }

    /// Room that a chunk's size and line ends take.
    private static let chunkOverhead = 16

    private func readChunk(_ memory: Bytes, _ room: Int) -> Int {
        if inbox.count > 0 {
            let count = min(inbox.count, room - Self.chunkOverhead)
            guard count > 0 else { return -Int(EAGAIN) }
            let size = Array(String(count, radix: 16).utf8)
            for (offset, digit) in size.enumerated() { memory[offset] = digit }
            var end = writeLineEnd(memory, size.count)
            end += inbox.take(memory + end, count)
            session.consume(self, count)
            return writeLineEnd(memory, end)
        }
        guard isInputEnded else { return -Int(EAGAIN) }
        if !isEndWritten {
            isEndWritten = true
            ending.append(Array("0\r\n".utf8) + trailers + Array("\r\n".utf8))
        }
        return ending.take(memory, room)
    }

    private func writeLineEnd(_ memory: Bytes, _ end: Int) -> Int {
        memory[end] = .carriageReturn
        memory[end + 1] = .lineFeed
        return end + 2
    }
}
