// LoopTarget: one loop's part of a target: which runners it knows and which clients wait.
internal import MeridianRouting

/// A revision or address as one loop sees it; a plain struct, since it is read on every request.
struct LoopTarget {
    let counters: TargetCounters
    let meter: MeterWriter
    /// A server outside Meridian, which has no other runner to turn to.
    let isAddress: Bool
    /// The end of the edge's own answer fields, which names region and revision; owned by this struct's owner.
    private(set) var answerFields = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    /// Indices into the loop's runners; replaced as a whole by `setRunners`.
    var runners = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
    /// In-flight requests per runner, all loops together.
    var concurrencyMax = Int64.max
    var firstParked: Int32 = -1
    var lastParked: Int32 = -1
    var parkedCount = 0
    /// In the list of targets whose waiting requests have to be tried.
    var isPending = false
    var nextPending: Int32 = -1

    init(_ record: TargetRecord) {
        counters = record.counters
        meter = record.makeMeter()
        isAddress = if case .address(_) = record.slot { true } else { false }
    }

    /// Writes the answer fields for the table in force; the old bytes are freed, which nothing keeps across a swap.
    mutating func setAnswerFields(region: String, revision: [UInt8]) {
        var text = Array("\r\nx-meridian-region: \(region)".utf8)
        if !revision.isEmpty { text += Array("\r\nx-meridian-revision: ".utf8) + revision }
        text += Array("\r\n".utf8)
        guard !text.elementsEqual(answerFields) else { return }
        answerFields.deallocate()
        answerFields = .allocate(capacity: text.count)
        _ = answerFields.initialize(from: text)
    }

    func deallocate() {
        answerFields.deallocate()
        runners.deallocate()
    }
}
