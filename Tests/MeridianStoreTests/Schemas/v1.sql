-- A store as Meridian 0.1 wrote it. Revision 1 made the apps a and b and is compacted; 2 made the leased event e, 3 changed a,
-- 4 deleted b, 5 made the app c of another namespace.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES ('v1: objects, history, leases');
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    last_lease INTEGER NOT NULL
) STRICT;
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

INSERT INTO meta VALUES (1, 5, 1, 7);
INSERT INTO leases VALUES (7, 10000);
INSERT INTO objects VALUES ('App', 'default', 'a', '{"spec":{"x":2}}', 1, 3, NULL);
INSERT INTO objects VALUES ('App', 'shop', 'c', '{"spec":{"z":"é"}}', 5, 5, NULL);
INSERT INTO objects VALUES ('Event', 'default', 'e', '{"y":1}', 2, 2, 7);
INSERT INTO history VALUES (2, 0, 'Event', 'default', 'e', '{"y":1}', 2, NULL, NULL, NULL);
INSERT INTO history VALUES (3, 0, 'App', 'default', 'a', '{"spec":{"x":2}}', 1, '{"spec":{"x":1}}', 1, 1);
INSERT INTO history VALUES (4, 0, 'App', 'default', 'b', NULL, NULL, '{"spec":{}}', 1, 1);
INSERT INTO history VALUES (5, 0, 'App', 'shop', 'c', '{"spec":{"z":"é"}}', 5, NULL, NULL, NULL);
