// H2Session: one HTTP/2 connection (RFC 9113): nghttp2's session, its streams, and what happened to them.
internal import CNGHTTP2
internal import Glibc

/// The server's side of a connection.
///
/// nghttp2's callbacks only note events; the loop carries them out between two calls, so that no callback meets a loop
/// that is in the middle of something. Belongs to one loop.
final class H2Session {
    enum Event {
        case request(H2Stream)
        case data(H2Stream)
        /// The outbox has room again.
        case drained(H2Stream)
        case closed(H2Stream)
    }

    /// Requests at a time; browsers use some tens.
    static let streamsMax: UInt32 = 128
    /// Upload bytes that a stream may have on their way before the app has taken any.
    private static let streamWindow: UInt32 = 256 * 1024
    private static let connectionWindow: Int32 = 1 << 20
    /// The largest frame that `send` gives, with its header; the default of RFC 9113.
    static let frameBytesMax = 16 * 1024 + 9

    let carrier: Int32
    private var session: OpaquePointer?
    var streams: [Int32: H2Stream] = [:]
    var events: [Event] = []
    var floods = FloodGuard()
    /// The loop's time when the current bytes came.
    var now: Int64 = 0
    /// In the loop's list of sessions with something to send.
    var isScheduled = false
    private var responseHead = ResponseHead()

    /// Nil where memory is short.
    init?(carrier: Int32, headBytesMax: Int) {
        self.carrier = carrier
        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0 else { return nil }
        defer { nghttp2_option_del(option) }
        // Windows open as the app takes what came, which is the back pressure.
        nghttp2_option_set_no_auto_window_update(option, 1)
        let callbacks = Self.makeCallbacks()
        defer { nghttp2_session_callbacks_del(callbacks) }
        let own = Unmanaged.passUnretained(self).toOpaque()
        guard nghttp2_session_server_new2(&session, callbacks, own, option) == 0 else { return nil }
        var settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                value: Self.streamsMax
            ),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: Self.streamWindow
            ),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(headBytesMax)
            ),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL.rawValue), value: 1),
        ]
        nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), &settings, settings.count)
        nghttp2_session_set_local_window_size(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Self.connectionWindow)
    }

    deinit {
        nghttp2_session_del(session)
        responseHead.fields.deallocate()
    }

    /// Takes bytes of the connection; false where it has to be closed, once what `send` still gives has left.
    func receive(_ bytes: UnsafePointer<UInt8>, _ count: Int, now: Int64) -> Bool {
        self.now = now
        let result = nghttp2_session_mem_recv(session, bytes, count)
        if result >= 0 { return true }
        let reason =
            result == Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR
        nghttp2_session_terminate_session(session, reason.rawValue)
        return false
    }

    /// The next bytes to send, valid until the next call; nil where there are none, or where nghttp2 gave up.
    func send() -> UnsafeBufferPointer<UInt8>? {
        var bytes: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(session, &bytes)
        return count > 0 ? UnsafeBufferPointer(start: bytes, count: count) : nil
    }

    /// Nothing further can come or go.
    var isOver: Bool { nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }

    /// Tells the client to use another connection for further requests; those under way go on.
    func shutDown() {
        nghttp2_submit_goaway(
            session,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            nghttp2_session_get_last_proc_stream_id(session),
            NGHTTP2_NO_ERROR.rawValue,
            nil,
            0
        )
    }

    /// Begins with the request of an HTTP/1.1 upgrade as stream 1; nil where the client's settings are malformed.
    func upgrade(settings: [UInt8], isHead: Bool) -> H2Stream? {
        guard nghttp2_session_upgrade2(session, settings, settings.count, isHead ? 1 : 0, nil) == 0 else { return nil }
        let stream = H2Stream(id: 1, session: self)
        streams[1] = stream
        return stream
    }

    /// The app has taken upload bytes of a stream.
    func consume(_ stream: H2Stream, _ count: Int) { nghttp2_session_consume(session, stream.id, count) }

    /// Upload bytes were thrown away.
    func discard(_ count: Int) { nghttp2_session_consume_connection(session, count) }

    /// nghttp2 has closed a stream.
    func close(_ id: Int32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        discard(stream.unreadCount)
        events.append(.closed(stream))
    }

    /// The loop has no place for a stream; the client may send it again.
    func refuse(_ stream: H2Stream) { reset(stream.id, NGHTTP2_REFUSED_STREAM) }

    /// The loop is done with a stream; one that got no whole answer is reset.
    func leave(_ stream: H2Stream) {
        guard streams[stream.id] != nil, !stream.isOutputEnded else { return }
        reset(stream.id, NGHTTP2_INTERNAL_ERROR)
    }

    func reset(_ stream: Int32, _ reason: nghttp2_error_code) {
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, reason.rawValue)
    }

    /// The answer is complete although its length was open.
    func finish(_ stream: H2Stream) {
        stream.isOutputEnded = true
        resume(stream)
    }

    /// Takes answer bytes as HTTP/1.1 text: bytes taken, -EAGAIN where the client's windows are full, -EPROTO otherwise.
    func write(_ stream: H2Stream, _ bytes: Bytes, _ count: Int) -> Int {
        guard streams[stream.id] != nil else { return -Int(EPIPE) }
        guard stream.outbox.count < H2Stream.outboxMax else {
            stream.isBlocked = true
            return -Int(EAGAIN)
        }
        var offset = 0
        while stream.answering == .head, offset < count {
            guard let length = submitHead(stream, bytes + offset, count - offset) else { return -Int(EPROTO) }
            offset += length
        }
        if stream.answering == .tunnel {
            stream.outbox.append(bytes + offset, count - offset)
        } else if offset < count {
            guard takeBody(stream, bytes + offset, count - offset) else { return -Int(EPROTO) }
        }
        resume(stream)
        return count
    }

    private func resume(_ stream: H2Stream) {
        guard stream.isDeferred, stream.outbox.count > 0 || stream.isOutputEnded else { return }
        stream.isDeferred = false
        nghttp2_session_resume_data(session, stream.id)
    }

    private func takeBody(_ stream: H2Stream, _ bytes: Bytes, _ count: Int) -> Bool {
        var offset = 0
        while offset < count, !stream.tracker.isDone {
            if stream.tracker.isInTrailers {
                stream.answerTrailers.append(bytes[offset])
                offset += stream.tracker.consume(bytes + offset, 1)
            } else {
                let (consumed, produced) = stream.tracker.decode(bytes + offset, count - offset, keepingTrailers: true)
                stream.outbox.append(bytes + offset, produced)
                offset += consumed
            }
            if stream.tracker.hasFailed { return false }
        }
        stream.isOutputEnded = stream.tracker.isDone
        return offset == count
    }

    /// Sends a head; its length, or nil where it is not one.
    ///
    /// The loop writes heads whole, so one that is incomplete is a fault.
    private func submitHead(_ stream: H2Stream, _ bytes: Bytes, _ count: Int) -> Int? {
        guard case .complete? = try? responseHead.parse(bytes, count, isHead: stream.head.isHead) else { return nil }
        let isTunnel = responseHead.status == 101
        var block = HeaderBlock(status: isTunnel ? 200 : responseHead.status)
        block.take(responseHead.fields, bytes)
        if responseHead.status < 200, !isTunnel {
            block.withFields { fields, fieldCount in
                _ = nghttp2_submit_headers(
                    session,
                    UInt8(NGHTTP2_FLAG_NONE.rawValue),
                    stream.id,
                    nil,
                    fields,
                    fieldCount,
                    nil
                )
            }
            return responseHead.length
        }
        stream.answering = isTunnel ? .tunnel : .body
        stream.tracker = BodyTracker(isTunnel ? .untilClose : responseHead.framing)
        stream.isOutputEnded = stream.tracker.isDone
        var provider = nghttp2_data_provider()
        provider.read_callback = readBody
        let isEmpty = stream.isOutputEnded
        let result = block.withFields { fields, fieldCount in
            isEmpty
                ? nghttp2_submit_response(session, stream.id, fields, fieldCount, nil)
                : nghttp2_submit_response(session, stream.id, fields, fieldCount, &provider)
        }
        return result == 0 ? responseHead.length : nil
    }

    /// Sends the trailers of an answer after its last data.
    func submitTrailers(_ stream: H2Stream) {
        var block = HeaderBlock(trailers: stream.answerTrailers)
        block.withFields { fields, count in _ = nghttp2_submit_trailer(session, stream.id, fields, count) }
    }
}
