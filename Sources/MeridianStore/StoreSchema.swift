// StoreSchema: the tables of the embedded store, version by version.
internal import GRDB

/// The tables and the steps that bring an older file up to them.
enum StoreSchema {
    /// Every version in order; a released one is never edited, a change is a new one.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1: objects, history, leases") { db in try db.execute(sql: version1) }
        return migrator
    }

    /// `previous_*` repeats the object before the change, so that a watcher's event is complete without a second look.
    private static let version1 = """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            revision INTEGER NOT NULL,
            compacted INTEGER NOT NULL,
            last_lease INTEGER NOT NULL
        ) STRICT;
        INSERT INTO meta VALUES (1, 0, 0, 0);
        CREATE TABLE objects (
            kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            create_revision INTEGER NOT NULL,
            mod_revision INTEGER NOT NULL,
            lease INTEGER,
            PRIMARY KEY (kind, namespace, name)
        ) STRICT;
        CREATE INDEX objects_by_lease ON objects (lease) WHERE lease IS NOT NULL;
        CREATE TABLE history (
            revision INTEGER NOT NULL,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT,
            create_revision INTEGER,
            previous_value TEXT,
            previous_create_revision INTEGER,
            previous_mod_revision INTEGER,
            PRIMARY KEY (revision, position)
        ) STRICT;
        CREATE TABLE leases (
            id INTEGER PRIMARY KEY,
            milliseconds INTEGER NOT NULL
        ) STRICT;
        """
}
