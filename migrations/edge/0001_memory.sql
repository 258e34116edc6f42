-- The robot's memory. Every row that people see has its id, its version and the stamps of its newest change, so that it can
-- be synchronised later. Times are ms since 1970 by the wall clock; `clock`: 0 synced, 1 holdover, 2 unknown.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notes (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    town TEXT NOT NULL,
    content TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    tags TEXT NOT NULL CHECK (json_valid(tags)),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    surfaced INTEGER NOT NULL CHECK (surfaced IN (0, 1)),
    last_surfaced_ms INTEGER,
    version INTEGER NOT NULL CHECK (version > 0),
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX notes_in_order ON notes (town, priority DESC, created_ms DESC, id DESC);

CREATE TABLE conversations (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    turns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_in_order ON conversations (town, user_id, last_ms DESC, id DESC);

-- A turn is never changed: its version is 1.
CREATE TABLE turns (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    conversation_id BLOB NOT NULL REFERENCES conversations (id),
    ordinal INTEGER NOT NULL,
    sender TEXT NOT NULL CHECK (sender IN ('user', 'robbie')),
    speaker TEXT,
    message_text TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    mood_at_time TEXT NOT NULL,
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    UNIQUE (conversation_id, ordinal)
) STRICT, WITHOUT ROWID;

-- What was learnt. `valid_to_ms` is null as long as it is true.
CREATE TABLE facts (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    content TEXT NOT NULL,
    source_id BLOB,
    event_ms INTEGER,
    valid_from_ms INTEGER NOT NULL,
    valid_to_ms INTEGER,
    version INTEGER NOT NULL CHECK (version > 0),
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE personality (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    mood TEXT NOT NULL,
    attraction_level INTEGER NOT NULL CHECK (attraction_level BETWEEN 1 AND 11),
    gandhi_genghis INTEGER NOT NULL CHECK (gandhi_genghis BETWEEN 1 AND 10),
    energy INTEGER NOT NULL CHECK (energy BETWEEN 0 AND 100),
    version INTEGER NOT NULL CHECK (version > 0),
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    UNIQUE (town, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mood_changes (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    from_mood TEXT NOT NULL,
    mood TEXT NOT NULL,
    attraction_level INTEGER NOT NULL,
    gandhi_genghis INTEGER NOT NULL,
    energy INTEGER NOT NULL,
    reason TEXT NOT NULL,
    context TEXT,
    source TEXT NOT NULL,
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    clock INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mood_changes_in_order ON mood_changes (town, user_id, at_ms DESC, id DESC);

-- What can be found again: one row a note, turn or fact, written in the same transaction. `n` names it in the index of words
-- and in the index of vectors. `user_id` is empty for what belongs to the town.
CREATE TABLE memory (
    n INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)), -- 0 note, 1 fact, 2 turn
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    conversation_id BLOB,
    ordinal INTEGER,
    speaker TEXT,
    at_ms INTEGER NOT NULL,
    content_hash BLOB NOT NULL CHECK (length(content_hash) = 16)
) STRICT;

CREATE INDEX memory_by_hash ON memory (content_hash);
CREATE INDEX memory_in_conversation ON memory (conversation_id, ordinal) WHERE conversation_id IS NOT NULL;
CREATE INDEX memory_by_speaker ON memory (town, user_id, speaker) WHERE speaker IS NOT NULL;

-- Words, stemmed. The text stands in the rows above and is not kept twice.
CREATE VIRTUAL TABLE words USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Vectors, by what they were made of and by the model that made them. `vector`: 384 little-endian f32, length 1. With row ids,
-- because a page of a table without them holds no key this long: 2.1 KB a vector instead of 4.7 (measured).
CREATE TABLE vectors (
    model INTEGER NOT NULL,
    content_hash BLOB NOT NULL CHECK (length(content_hash) = 16),
    vector BLOB NOT NULL CHECK (length(vector) = 1536),
    UNIQUE (content_hash, model)
) STRICT;

CREATE TABLE models (
    model INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- What happened, for those who look on. Kept for 24 hours or 10,000 rows.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    town TEXT NOT NULL,
    user_id TEXT NOT NULL, -- empty: everybody in the town
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
