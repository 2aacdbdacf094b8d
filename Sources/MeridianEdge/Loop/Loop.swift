// Loop: one thread's epoll loop with everything it owns; nothing in here is touched by another thread.
internal import CLinux
internal import Glibc
internal import MeridianRouting

/// An edge-triggered event loop.
///
/// It is a struct that lives on its thread's stack, so that the compiler proves exclusive access instead of
/// checking it. Memory: the tables are allocated once for `descriptorsMax` descriptors and untouched pages cost
/// nothing. A pointer into `connections` stays valid for the loop's life; `open` initialises every entry up to the
/// descriptor before that is registered, so every event, deadline and scan meets an initialised one.
struct Loop: ~Copyable {
    /// One system call's worth; more would only delay the first event of the batch.
    static let eventsMax = 256
    /// How finely deadlines are kept: a scan reads one word per descriptor.
    static let scanMillisecondsMin: Int64 = 20
    static let requestIDBytesMax = 64
    static let peerTextBytesMax = 48

    let context: LoopContext
    /// Those of the edge, narrowed by the policy without hosts of the table in force.
    var limits: EdgeLimits
    let mailbox: LoopMailbox
    let region: UnsafeMutableBufferPointer<UInt8>
    let counts: CounterLine
    let epoll: Int32
    /// The namespace to come back to; -1 where namespaces cannot be entered.
    let ownNamespace: Int32
    var spareDescriptor: Int32

    let tables: LoopTables
    let events: UnsafeMutablePointer<clinux_event>
    /// Entries of `connections` up to this one are initialised.
    var highest: Int32 = -1
    var generation: UInt32 = 0
    var clientCount = 0

    var pool: BufferPool
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    /// Room for the fields of one head as rules look at them.
    let routedFields: UnsafeMutablePointer<RoutedField>
    var random: RandomSource

    /// Keeps the memory behind `view`.
    var table: CompiledRouteTable?
    var view: RouteView?
    /// Keeps the memory behind `slotTargets`.
    var tableTargets: TableTargets?
    var slotTargets: UnsafeMutablePointer<Int32>?
    /// Counts the tables from 1.
    var tableSerial: UInt32 = 0

    /// Initialised where `targetOwners` has an entry: a target is made ready by its first request.
    var targets: UnsafeMutablePointer<LoopTarget>
    /// The serial of the table for which each target was made ready; 0 for none.
    var targetSerials: UnsafeMutablePointer<UInt32>
    var targetCapacity = 64
    /// Keeps the counters behind `targets`; nil where an entry of `targets` is not initialised.
    var targetOwners: [TargetRecord?] = []
    var runners: UnsafeMutablePointer<LoopRunner>
    var runnerCapacity = 64
    /// Keeps the counters behind `runners`; nil where an entry of `runners` is not initialised.
    var runnerOwners: [RunnerRecord?] = []
    var runnerChanges: UInt32 = 0

    /// Milliseconds and microseconds of the monotonic clock when the current batch of events came.
    var now: Int64
    var nowMicroseconds: Int64
    var nextScan = Int64.max
    let scheduled = ScheduledSessions()
    /// Places of HTTP/2 streams that were used, and how many have been used at all.
    var freeSlots: [Int32] = []
    var slotCount = 0
    /// Copies of requests under way.
    var mirrorCount = 0
    var firstAgain: Int32 = -1
    var firstPending: Int32 = -1
    var parkedTotal = 0
    var isDraining = false
    var isStopped = false
    /// Told when the loop has ended.
    var stopped: Countdown?

    /// A loop that does not watch anything yet.
    ///
    /// Takes over `tables`.
    init(_ index: Int, _ context: LoopContext, _ tables: LoopTables) {
        self.context = context
        limits = context.limits
        mailbox = context.mailboxes[index]
        counts = context.counts[index]
        pool = BufferPool(lentMax: context.limits.bufferBytesMax / Buffer.capacity / context.mailboxes.count)
        let regionBytes = Array(context.region.utf8)
        region = .allocate(capacity: regionBytes.count)
        _ = region.initialize(from: regionBytes)
        epoll = clinux_epoll_create()
        ownNamespace = max(-1, clinux_own_network_namespace())
        spareDescriptor = clinux_spare_descriptor()
        self.tables = tables
        events = .allocate(capacity: Self.eventsMax)
        targets = .allocate(capacity: targetCapacity)
        targetSerials = .allocate(capacity: targetCapacity)
        targetSerials.initialize(repeating: 0, count: targetCapacity)
        runners = .allocate(capacity: runnerCapacity)
        routedFields = .allocate(capacity: FieldLines.fieldsMax)
        random = RandomSource(seed: clinux_random_seed())
        nowMicroseconds = clinux_loop_microseconds()
        now = nowMicroseconds / 1000
    }

    /// Takes over the listeners and watches them and the mailbox.
    mutating func watch(_ plain: ArraySlice<Int32>, secure: ArraySlice<Int32>) throws(EdgeError) {
        try register(mailbox.descriptor, .mailbox)
        for listener in plain { try register(listener, .listener) }
        for listener in secure { try register(listener, .secureListener) }
    }

    /// Serves until `.stop`.
    mutating func run() {
        while !isStopped {
            let count = clinux_epoll_wait(epoll, events, Int32(Self.eventsMax), waitMilliseconds())
            nowMicroseconds = clinux_loop_microseconds()
            now = nowMicroseconds / 1000
            precondition(
                count >= 0 || count == -EINTR,
                "epoll_wait failed: its arguments are fixed, so the loop is damaged"
            )
            for index in 0..<Int(max(0, count)) { handle(events[index]) }
            resumeTurns()
            tryPending()
            if now >= nextScan { expire() }
            flushSessions()
        }
        closeEverything()
    }

    /// The connection of a descriptor.
    ///
    /// The pointer stays valid, but after a close it may be another connection's.
    @inline(__always)
    func at(_ descriptor: Int32) -> UnsafeMutablePointer<Connection> { tables.connections + Int(descriptor) }

    /// Whether a descriptor still is the connection that had `generation`.
    func isSame(_ descriptor: Int32, _ generation: UInt32) -> Bool {
        at(descriptor).pointee.generation == generation && at(descriptor).pointee.role != .free
    }

    /// Makes a descriptor a connection of this loop; false, with nothing changed, where the tables have no place
    /// for it.
    mutating func open(_ descriptor: Int32, _ role: Role, _ phase: Phase) -> Bool {
        guard Int(descriptor) < context.descriptorsMax else { return false }
        generation &+= 1
        while highest < descriptor {
            highest += 1
            at(highest).initialize(to: Connection(generation: 0, role: .free, phase: .head))
        }
        at(descriptor).pointee = Connection(generation: generation, role: role, phase: phase)
        return true
    }

    /// Sets when a descriptor's time is up; 0 for never.
    @inline(__always)
    mutating func setDeadline(_ descriptor: Int32, _ time: Int64) {
        tables.deadlines[Int(descriptor)] = time
        if time != 0, time < nextScan { nextScan = time }
    }

    private mutating func register(_ descriptor: Int32, _ role: Role) throws(EdgeError) {
        guard epoll >= 0, open(descriptor, role, .idle),
            clinux_epoll_add_level(epoll, descriptor, generation) == 0
        else { throw EdgeError(code: .noResources, message: "cannot watch a descriptor; raise the descriptor limit") }
    }

    private func waitMilliseconds() -> Int32 {
        if firstAgain >= 0 || firstPending >= 0 { return 0 }
        guard nextScan != .max else { return -1 }
        return Int32(clamping: max(1, nextScan - now))
    }

    private mutating func handle(_ event: clinux_event) {
        let descriptor = event.descriptor
        // An earlier event of the batch may have closed the descriptor or given it to a new connection.
        guard isSame(descriptor, event.generation) else { return }
        switch at(descriptor).pointee.role {
        case .free: return
        case .listener, .secureListener: acceptClients(descriptor)
        case .mailbox: readMailbox()
        case .client: clientReady(descriptor, event.events)
        case .upstream: upstreamReady(descriptor, event.events)
        }
    }
}
