-- Sync with the cloud. Everything here is empty until the robot is paired.

CREATE TABLE sync_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    device TEXT NOT NULL,
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    incarnation INTEGER NOT NULL, -- 64 bits, random, as a signed number
    next_seq INTEGER NOT NULL,
    chain INTEGER NOT NULL, -- of everything before next_seq
    acked INTEGER NOT NULL,
    acked_chain INTEGER NOT NULL,
    parent_incarnation INTEGER,
    parent_seq INTEGER,
    again_to INTEGER NOT NULL,
    mismatches INTEGER NOT NULL -- checksums that did not fit: each of them is a mistake of ours
) STRICT;

CREATE TABLE sync_scopes (
    scope TEXT PRIMARY KEY,
    cursor INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    is_resetting INTEGER NOT NULL CHECK (is_resetting IN (0, 1)),
    checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the server last said of each row. Of rows that are written once there is no more than the version. `stale`: of before a
-- new beginning, and not met since.
CREATE TABLE sync_base (
    table_id INTEGER NOT NULL,
    row_id BLOB NOT NULL CHECK (length(row_id) = 16),
    scope TEXT NOT NULL,
    version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    stale INTEGER NOT NULL CHECK (stale IN (0, 1)),
    fields BLOB NOT NULL,
    UNIQUE (table_id, row_id)
) STRICT;

-- Operations that the server has not answered for, or whose outcome has not been read yet (`at`: the scope's version then).
-- `n` is the order of writing; `seq` the place in the present life of this database, null for those of an earlier one.
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY,
    seq INTEGER UNIQUE,
    scope TEXT NOT NULL,
    table_id INTEGER NOT NULL,
    row_id BLOB NOT NULL CHECK (length(row_id) = 16),
    kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)), -- 0 insert, 1 set, 2 delete
    base INTEGER NOT NULL,
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    fields BLOB NOT NULL,
    chain INTEGER NOT NULL,
    at INTEGER
) STRICT;

CREATE INDEX outbox_by_row ON outbox (table_id, row_id);
CREATE INDEX outbox_answered ON outbox (scope, at) WHERE at IS NOT NULL;

-- Edits that lost or came too late, as the server keeps them.
CREATE TABLE conflicts (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    scope TEXT NOT NULL,
    table_id INTEGER NOT NULL,
    row_id BLOB NOT NULL CHECK (length(row_id) = 16),
    field INTEGER NOT NULL,
    other BLOB NOT NULL,
    other_author TEXT NOT NULL,
    other_ms INTEGER NOT NULL,
    current_author TEXT NOT NULL,
    current_ms INTEGER NOT NULL,
    why INTEGER NOT NULL,
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))
) STRICT, WITHOUT ROWID;
