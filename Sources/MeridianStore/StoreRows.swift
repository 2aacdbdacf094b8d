// StoreRows: the SQL of the embedded store and how its rows become records and events.
internal import GRDB
internal import MeridianModel
internal import MeridianPorts

/// Reads and writes rows through one connection, inside a transaction of the caller's.
struct StoreRows {
    /// The one row of `meta`.
    struct Meta: Equatable {
        var revision: Int64
        /// History at and before this revision is gone.
        var compacted: Int64
        var lastLease: Int64
    }

    let db: Database
    let cache: ValueCache

    func meta() throws -> Meta {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT revision, compacted, last_lease FROM meta")
        )
        guard let row else { throw StoreError(.unavailable, "the store's file has no meta row; \(restoreAdvice)") }
        return Meta(revision: row[0], compacted: row[1], lastLease: row[2])
    }

    func setMeta(_ meta: Meta) throws {
        try run(
            "UPDATE meta SET revision = ?, compacted = ?, last_lease = ?",
            [meta.revision, meta.compacted, meta.lastLease]
        )
    }

    // MARK: Objects

    func object(_ key: ObjectKey) throws -> StoredObject? {
        let sql = "\(Self.selectObjects) WHERE kind = ? AND namespace = ? AND name = ?"
        let statement = try db.cachedStatement(sql: sql)
        let row = try Row.fetchOne(statement, arguments: [key.kind, key.namespace, key.name])
        return try row.map(stored)
    }

    /// The objects of some kinds, sorted by key.
    func records(kinds: Set<String>?) throws -> [StoreRecord] {
        let (condition, arguments) = Self.condition("WHERE", kinds)
        let sql = "\(Self.selectObjects) \(condition) ORDER BY kind, namespace, name"
        return try fetch(sql, arguments) { try stored($0).record }
    }

    /// One page of a kind, and how many come after it.
    func page(
        kind: String,
        namespace: String?,
        after: ObjectKey?,
        limit: Int
    ) throws -> (records: [StoreRecord], remaining: Int) {
        var condition = "WHERE kind = ?"
        var arguments: StatementArguments = [kind]
        if let namespace {
            condition += " AND namespace = ?"
            arguments += [namespace]
        }
        if let after {
            condition += " AND (kind, namespace, name) > (?, ?, ?)"
            arguments += [after.kind, after.namespace, after.name]
        }
        let sql = "\(Self.selectObjects) \(condition) ORDER BY namespace, name LIMIT ?"
        let records = try fetch(sql, arguments + [limit]) { try stored($0).record }
        if records.count < limit { return (records, 0) }
        let counting = try db.cachedStatement(sql: "SELECT COUNT(*) FROM objects \(condition)")
        return (records, (try Int.fetchOne(counting, arguments: arguments) ?? 0) - records.count)
    }

    /// The objects attached to a lease, sorted by key.
    func objects(under lease: LeaseID) throws -> [StoredObject] {
        try fetch("\(Self.selectObjects) WHERE lease = ? ORDER BY kind, namespace, name", [lease.rawValue], stored)
    }

    /// Writes a change, and its event as number `position` of the transaction that made `revision`.
    func write(_ change: ObjectChange, at revision: Int64, position: Int) throws {
        let key = change.key
        let text = change.after?.record.value.text()
        let event: StatementArguments = [
            revision, position, key.kind, key.namespace, key.name, text, change.after?.record.createRevision,
        ]
        guard change.before != nil else {
            try run("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)", event)
            try write(change, text)
            return
        }
        // What was before is in the file already: its text need not be made anew.
        try run(
            """
            INSERT INTO history SELECT ?, ?, ?, ?, ?, ?, ?, value, create_revision, mod_revision FROM objects
            WHERE kind = ? AND namespace = ? AND name = ?
            """,
            event + [key.kind, key.namespace, key.name]
        )
        try write(change, text)
    }

    private func write(_ change: ObjectChange, _ text: String?) throws {
        let key = change.key
        guard let after = change.after else {
            try run(
                "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
                [key.kind, key.namespace, key.name]
            )
            return
        }
        try run(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                key.kind, key.namespace, key.name, text, after.record.createRevision, after.record.modRevision,
                after.lease?.rawValue,
            ]
        )
    }

    // MARK: History

    /// The next revisions after `after` that touch `kinds`: about a page of them, whole revisions only.
    func history(after: Int64, kinds: Set<String>?) throws -> HistoryPage {
        let meta = try meta()
        guard after >= meta.compacted else { throw StoreError.compacted(after, through: meta.compacted) }
        guard after <= meta.revision else { throw StoreError.ahead(after, of: meta.revision) }
        let (condition, kindArguments) = Self.condition("AND", kinds)
        let end = try db.cachedStatement(
            sql: """
                SELECT revision FROM history WHERE revision > ? \(condition)
                ORDER BY revision, position LIMIT 1 OFFSET \(StoreBounds.historyPageEvents - 1)
                """
        )
        let last = try Int64.fetchOne(end, arguments: [after] + kindArguments)
        let through = last ?? meta.revision
        let sql = """
            SELECT revision, kind, namespace, name, value, create_revision, previous_value, previous_create_revision,
            previous_mod_revision FROM history WHERE revision > ? AND revision <= ? \(condition)
            ORDER BY revision, position
            """
        return HistoryPage(events: try fetch(sql, [after, through] + kindArguments, event), through: through)
    }

    func deleteHistory(through revision: Int64) throws {
        try run("DELETE FROM history WHERE revision <= ?", [revision])
    }

    // MARK: Leases

    func hasLease(_ lease: LeaseID) throws -> Bool {
        let statement = try db.cachedStatement(sql: "SELECT 1 FROM leases WHERE id = ?")
        return try Int.fetchOne(statement, arguments: [lease.rawValue]) != nil
    }

    func leases() throws -> [(id: LeaseID, timeToLive: Duration)] {
        try fetch("SELECT id, milliseconds FROM leases ORDER BY id", []) { row in
            (LeaseID(rawValue: row[0]), .milliseconds(row[1] as Int64))
        }
    }

    func addLease(_ lease: LeaseID, timeToLive: Duration) throws {
        try run("INSERT INTO leases VALUES (?, ?)", [lease.rawValue, timeToLive.wholeMilliseconds])
    }

    func deleteLease(_ lease: LeaseID) throws { try run("DELETE FROM leases WHERE id = ?", [lease.rawValue]) }

    // MARK: Rows

    private static let selectObjects =
        "SELECT kind, namespace, name, mod_revision, create_revision, lease, value FROM objects"

    /// `WHERE kind IN (?, ?)`, or nothing where all kinds are wanted.
    private static func condition(_ word: String, _ kinds: Set<String>?) -> (String, StatementArguments) {
        guard let kinds else { return ("", []) }
        let marks = [String](repeating: "?", count: kinds.count).joined(separator: ", ")
        return ("\(word) kind IN (\(marks))", StatementArguments(kinds.sorted()))
    }

    private func stored(_ row: Row) throws -> StoredObject {
        let key = ObjectKey(kind: row[0], namespace: row[1], name: row[2])
        let modRevision: Int64 = row[3]
        let lease = (row[5] as Int64?).map(LeaseID.init(rawValue:))
        if let value = cache.value(key, modRevision) {
            let record = StoreRecord(key: key, value: value, createRevision: row[4], modRevision: modRevision)
            return StoredObject(record: record, lease: lease)
        }
        let value = try parsed(row[6], key)
        let record = StoreRecord(key: key, value: value, createRevision: row[4], modRevision: modRevision)
        cache.keep(record)
        return StoredObject(record: record, lease: lease)
    }

    private func event(_ row: Row) throws -> StoreEvent {
        let key = ObjectKey(kind: row[1], namespace: row[2], name: row[3])
        let revision: Int64 = row[0]
        var record: StoreRecord?
        if let text = row[4] as String? {
            let value = try parsed(text, key)
            record = StoreRecord(key: key, value: value, createRevision: row[5], modRevision: revision)
        }
        var previous: StoreRecord?
        if let text = row[6] as String? {
            let value = try parsed(text, key)
            previous = StoreRecord(key: key, value: value, createRevision: row[7], modRevision: row[8])
        }
        return StoreEvent(revision: revision, key: key, record: record, previous: previous)
    }

    private func parsed(_ text: String, _ key: ObjectKey) throws -> JSONValue {
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw StoreError(.unavailable, "\(key) is not JSON in the store's file (\(error)); \(restoreAdvice)")
        }
    }

    private func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func fetch<Element>(
        _ sql: String,
        _ arguments: StatementArguments,
        _ read: (Row) throws -> Element
    ) throws -> [Element] {
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        var elements: [Element] = []
        while let row = try cursor.next() { elements.append(try read(row)) }
        return elements
    }
}

/// What to do about a damaged file.
let restoreAdvice = "restore the file from a backup, or move it away and apply your manifests again"
