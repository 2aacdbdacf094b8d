// FloodGuard: how many frames without use one HTTP/2 connection may send before it is closed.

/// Token buckets of one connection; each frame of a guarded kind takes a token.
///
/// Ordinary clients stay far below: they reset a stream when a person leaves a page, ping every some seconds, and change
/// settings once.
struct FloodGuard {
    /// Resets (CVE-2023-44487): requests that cost the app work and bring nobody an answer.
    private var resets = TokenBucket(capacity: 200, perSecond: 50)
    /// PING, SETTINGS, PRIORITY and empty DATA: each costs the edge an answer or a look.
    private var idle = TokenBucket(capacity: 400, perSecond: 50)
    private var continuations = 0
    /// A head of `headBytesMax` fits into the first frame and one more.
    private static let continuationsMax = 8

    /// Whether a reset may still come.
    mutating func allowsReset(now: Int64) -> Bool { resets.take(now: now) }

    /// Whether a frame that asks for nothing may still come.
    mutating func allowsIdleFrame(now: Int64) -> Bool { idle.take(now: now) }

    /// Whether one more CONTINUATION may follow (CVE-2024-28182).
    mutating func allowsContinuation() -> Bool {
        continuations += 1
        return continuations <= Self.continuationsMax
    }

    /// A new head begins.
    mutating func beginHead() { continuations = 0 }
}

/// A number of tokens that fills up again with time.
struct TokenBucket {
    private let capacity: Int64
    private let perSecond: Int64
    /// In thousandths, so that milliseconds add whole numbers.
    private var tokens: Int64
    private var filledAt: Int64 = 0

    init(capacity: Int64, perSecond: Int64) {
        self.capacity = capacity * 1000
        self.perSecond = perSecond
        tokens = self.capacity
    }

    /// Takes a token; false where there is none.
    ///
    /// `now` is in milliseconds.
    mutating func take(now: Int64) -> Bool {
        if filledAt == 0 { filledAt = now }
        // A pause of more than an hour fills any bucket, and the product below cannot overflow.
        tokens = min(capacity, tokens + min(now - filledAt, 3_600_000) * perSecond)
        filledAt = now
        guard tokens >= 1000 else { return false }
        tokens -= 1000
        return true
    }
}
