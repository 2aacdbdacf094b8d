// AppWait: `apply --wait`: watches apps until all serve what was applied, one fails, or time is up.

internal import MeridianModel

/// One wait for some apps; progress goes to standard error, so that piped output stays what was asked for.
struct AppWait {
    let apps: [AppGoal]
    /// How long to wait at most.
    let timeout: Duration
    let api: any ControlPlaneAPI
    let context: CommandContext

    /// How often the live block is drawn: fast enough for a running clock, slow enough for a slow terminal.
    private static let drawInterval = Duration.milliseconds(100)

    /// What happens during a wait.
    private enum News: Sendable {
        case changed(ObjectChange)
        case tick
        case timedOut
        case lost(any Error)
    }

    /// Waits and prints why where an app is not ready.
    ///
    /// - Returns: whether all apps are ready.
    func run() async throws -> Bool {
        guard !apps.isEmpty else { return true }
        let clock = ContinuousClock()
        let start = clock.now
        var screen = WaitScreen(report: WaitReport(goals: apps), sink: context.errors)
        let (news, source) = AsyncStream.makeStream(of: News.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for query in queries { group.addTask { await follow(query, into: source) } }
            group.addTask { await tick(into: source, isLive: context.errors.terminalColumns != nil) }
            for await event in news {
                let elapsed = start.duration(to: clock.now)
                guard try await take(event, at: elapsed, &screen) else { break }
                try Task.checkCancellation()
            }
        }
        let errors = screen.report.errors(timeout: timeout)
        for error in errors { context.errors.write(errorLine(error)) }
        return errors.isEmpty
    }

    private var queries: [ObjectQuery] {
        let kinds = Kind.all.filter { [App.kind, Revision.kind].contains($0.name) }
        return kinds.map { ObjectQuery(kind: $0) }
    }

    /// Takes one event in; false where the wait is over.
    private func take(_ event: News, at elapsed: Duration, _ screen: inout WaitScreen) async throws -> Bool {
        switch event {
        case .lost(let error): throw error
        case .timedOut: return false
        case .tick: screen.draw(at: elapsed)
        case .changed(let change):
            let lines = try await lines(for: change, at: elapsed, &screen.report)
            screen.add(lines, at: elapsed)
        }
        return !screen.report.isDone
    }

    private func lines(
        for change: ObjectChange,
        at elapsed: Duration,
        _ report: inout WaitReport
    ) async throws -> [String] {
        var context = DecodingContext()
        if change.object["kind"]?.string == Revision.kind {
            let revision = Revision.decode(change.object, at: .root, &context)
            return revision.map { report.see($0, at: elapsed) } ?? []
        }
        guard let app = App.decode(change.object, at: .root, &context), report.isAwaited(app.key) else { return [] }
        if change.action == .deleted { return report.seeDeletion(of: app.key, at: elapsed) }
        // The app may be seen ready before its revision's last stages are: they are asked for, to tell them first.
        var lines: [String] = []
        if app.status.conditions.holds("Ready"), let name = app.status.latestRevision,
            app.status.observedGeneration >= app.metadata.generation,
            let json = try await api.object(ObjectKey(kind: Revision.kind, namespace: app.key.namespace, name: name)),
            let revision = Revision.decode(json, at: .root, &context)
        {
            lines = report.see(revision, at: elapsed)
        }
        return lines + report.see(app, at: elapsed)
    }

    /// Sends the objects of a query as they are and as they change.
    private func follow(_ query: ObjectQuery, into source: AsyncStream<News>.Continuation) async {
        do {
            let list = try await api.list(query)
            for object in list.items { source.yield(.changed(ObjectChange(action: .added, object: object))) }
            let changes = LiveObjects(api: api, query: query, context: context)
            try await changes.follow(after: list) { source.yield(.changed($0)) }
        } catch {
            source.yield(.lost(error))
        }
    }

    /// Sends the ticks of a live block and the end of the time.
    private func tick(into source: AsyncStream<News>.Continuation, isLive: Bool) async {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        do {
            while isLive, clock.now < end {
                try await clock.sleep(for: Self.drawInterval)
                source.yield(.tick)
            }
            try await clock.sleep(until: end)
        } catch {
            // Cancelled: the wait is over, and nobody needs the end of the time any more.
            return
        }
        source.yield(.timedOut)
    }
}

/// Shows a report: as a live block on a terminal, else line by line.
struct WaitScreen {
    var report: WaitReport
    let sink: any TextSink
    private var block = LiveBlock()

    init(report: WaitReport, sink: any TextSink) {
        self.report = report
        self.sink = sink
    }

    /// Shows that the report has new lines.
    mutating func add(_ lines: [String], at elapsed: Duration) {
        guard sink.terminalColumns == nil else { return draw(at: elapsed) }
        for line in lines { sink.writeLine(line) }
    }

    /// Draws the block anew; nothing where the sink is no terminal.
    mutating func draw(at elapsed: Duration) {
        guard let columns = sink.terminalColumns else { return }
        // One column is left free: a full line would move the cursor to the next one in some terminals.
        sink.write(block.replacing(with: report.block(at: elapsed, columns: columns - 1)))
    }
}
