-- One town's schema. Names carry no schema: the transaction's search path says which town it is. It defines no types.

-- Every synced row, whatever its table: what the server decided, as one encoded state with a version a field.
CREATE TABLE sync_rows (
    table_id smallint NOT NULL,
    row_id uuid NOT NULL,
    scope text NOT NULL,
    -- Of the row's last change; rises by one within its scope.
    server_seq bigint NOT NULL,
    deleted boolean NOT NULL,
    changed_ms bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (table_id, row_id),
    UNIQUE (scope, server_seq)
);

-- `town`, and `user:<id>` for each user with rows.
CREATE TABLE sync_scopes (
    scope text PRIMARY KEY,
    head bigint NOT NULL DEFAULT 0,
    -- The newest change that was purged: whoever is behind it must read everything anew.
    floor bigint NOT NULL DEFAULT 0,
    checksum bigint NOT NULL DEFAULT 0
);

-- Deleted rows by age: what is left of them goes one day.
CREATE INDEX sync_rows_deleted ON sync_rows (scope, changed_ms) WHERE deleted;

-- One life of a device's database each: how far its own operations have been taken in. Written in the transaction that takes
-- them in. Numbers of 64 bits without a sign stand here bit for bit.
CREATE TABLE sync_devices (
    device text NOT NULL,
    incarnation bigint NOT NULL,
    -- Whose rows it holds beside the town's.
    user_id text NOT NULL,
    accepted bigint NOT NULL,
    chain bigint NOT NULL,
    session bigint NOT NULL,
    effective_ms bigint NOT NULL,
    seen_ms bigint NOT NULL,
    PRIMARY KEY (device, incarnation)
);

-- How far each of them has read.
CREATE TABLE sync_cursors (
    device text NOT NULL,
    incarnation bigint NOT NULL,
    scope text NOT NULL,
    cursor bigint NOT NULL,
    PRIMARY KEY (device, incarnation, scope),
    FOREIGN KEY (device, incarnation) REFERENCES sync_devices ON DELETE CASCADE
);

-- The newest event's id. Taken with a row lock, so that events are committed in the order of their ids and no reader skips one.
CREATE TABLE event_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id bigint NOT NULL
);

INSERT INTO event_head (id) VALUES (0);

-- What happened, for those who look on. An empty user means everybody in the town.
CREATE TABLE events (
    id bigint PRIMARY KEY,
    user_id text NOT NULL,
    kind text NOT NULL,
    data text NOT NULL,
    at_ms bigint NOT NULL
);

CREATE INDEX events_by_age ON events (at_ms);
