// H2Session+Callbacks: what nghttp2 tells while it reads and writes frames; each note is carried out by the loop later.
internal import CNGHTTP2
internal import Glibc

extension H2Session {
    static func makeCallbacks() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let header, let session = H2Session.from(user) else { return H2Session.failure }
            return session.allows(header.pointee) ? 0 : H2Session.failure
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let frame, let session = H2Session.from(user) else { return H2Session.failure }
            session.beginHead(frame.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _,
            frame,
            name,
            nameCount,
            value,
            valueCount,
            _,
            user in
            guard let frame, let session = H2Session.from(user) else { return H2Session.failure }
            session.takeField(
                frame.pointee,
                UnsafeBufferPointer(start: name, count: nameCount),
                UnsafeBufferPointer(start: value, count: valueCount)
            )
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let frame, let session = H2Session.from(user) else { return H2Session.failure }
            return session.takeFrame(frame.pointee) ? 0 : H2Session.failure
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, user in
            guard let bytes, let session = H2Session.from(user) else { return H2Session.failure }
            session.takeData(id, bytes, count)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let frame, let session = H2Session.from(user) else { return H2Session.failure }
            session.noteSent(frame.pointee.hd)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, _, user in
            guard let session = H2Session.from(user) else { return H2Session.failure }
            session.close(id)
            return 0
        }
        return callbacks
    }

    static let failure = Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)

    /// The session behind a callback's argument.
    ///
    /// It outlives nghttp2's session, which is freed in its `deinit`.
    static func from(_ user: UnsafeMutableRawPointer?) -> H2Session? {
        user.map { Unmanaged<H2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    private func allows(_ header: nghttp2_frame_hd) -> Bool {
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            floods.beginHead()
            return true
        case NGHTTP2_CONTINUATION.rawValue: return floods.allowsContinuation()
        case NGHTTP2_RST_STREAM.rawValue: return floods.allowsReset(now: now)
        case NGHTTP2_DATA.rawValue:
            let isUseless = header.length == 0 && UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue == 0
            return !isUseless || floods.allowsIdleFrame(now: now)
        case NGHTTP2_WINDOW_UPDATE.rawValue, NGHTTP2_GOAWAY.rawValue: return true
        default: return floods.allowsIdleFrame(now: now)
        }
    }

    private func beginHead(_ frame: nghttp2_frame) {
        guard isRequest(frame) else { return }
        streams[frame.hd.stream_id] = H2Stream(id: frame.hd.stream_id, session: self)
    }

    private func takeField(
        _ frame: nghttp2_frame,
        _ name: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>
    ) {
        guard let stream = streams[frame.hd.stream_id] else { return }
        if !isRequest(frame) {
            stream.receiveTrailer(name, value)
        } else if !stream.head.take(name, value) {
            // Too large for any answer, or text that HTTP/1.1 cannot carry.
            reset(stream.id, NGHTTP2_PROTOCOL_ERROR)
        }
    }

    private func takeFrame(_ frame: nghttp2_frame) -> Bool {
        let endsStream = UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        guard let stream = streams[frame.hd.stream_id] else { return true }
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue where isRequest(frame):
            if stream.completeHead(endsStream: endsStream, key: Self.websocketKey()) {
                events.append(.request(stream))
            } else {
                reset(stream.id, NGHTTP2_PROTOCOL_ERROR)
            }
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            guard endsStream else { break }
            stream.endInput()
            events.append(.data(stream))
        default: break
        }
        return true
    }

    private func takeData(_ id: Int32, _ bytes: UnsafePointer<UInt8>, _ count: Int) {
        guard let stream = streams[id], stream.slot >= 0 || !stream.isOutputEnded else {
            // Nobody will read it, but the connection's window must not shrink.
            discard(count)
            return
        }
        stream.receive(bytes, count)
        events.append(.data(stream))
    }

    /// An answer that did not wait for the request's body ends the stream (RFC 9113 §8.1).
    private func noteSent(_ header: nghttp2_frame_hd) {
        guard UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0, let stream = streams[header.stream_id],
            UInt32(header.type) == NGHTTP2_DATA.rawValue || UInt32(header.type) == NGHTTP2_HEADERS.rawValue,
            !stream.isInputEnded
        else { return }
        reset(stream.id, NGHTTP2_NO_ERROR)
    }

    private func isRequest(_ frame: nghttp2_frame) -> Bool {
        UInt32(frame.hd.type) == NGHTTP2_HEADERS.rawValue && frame.headers.cat == NGHTTP2_HCAT_REQUEST
    }

    /// RFC 6455 §4.1 wants 16 random bytes in base64; the app only hashes them.
    private static func websocketKey() -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var random = RandomSource(seed: UInt64.random(in: .min ... .max))
        // 22 letters carry 132 bits; the last one keeps only the two bits that base64 has there.
        var key = (0..<22).map { _ in letters[Int(random.next() & 63)] }
        key[21] = letters[Int(random.next() & 3) << 4]
        return key + Array("==".utf8)
    }
}

/// Gives nghttp2 the next bytes of an answer.
let readBody: nghttp2_data_source_read_callback = { _, id, memory, room, flags, _, user in
    guard let memory, let flags, let session = H2Session.from(user), let stream = session.streams[id] else {
        return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
    let count = stream.outbox.take(memory, room)
    if stream.isBlocked, stream.outbox.count < H2Stream.outboxMax / 2 {
        stream.isBlocked = false
        session.events.append(.drained(stream))
    }
    if stream.outbox.count == 0, stream.isOutputEnded {
        flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if stream.hasTrailers {
            flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            session.submitTrailers(stream)
        }
        return count
    }
    guard count > 0 else {
        stream.isDeferred = true
        return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    return count
}
