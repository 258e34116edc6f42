-- What the synced rows say, in columns, for apps and for those who look with SQL. Written together with them and by nobody
-- else. Moments are kept to the millisecond; the columns with a time zone beside them are for people.

CREATE TABLE sticky_notes (
    id uuid PRIMARY KEY,
    content text NOT NULL,
    created_by text NOT NULL,
    created_ms bigint NOT NULL,
    created_at timestamptz NOT NULL GENERATED ALWAYS AS
        (to_timestamp(greatest(least(created_ms, 253402300799999), -62135596800000) / 1000.0)) STORED,
    tags text[] NOT NULL DEFAULT '{}',
    priority smallint NOT NULL DEFAULT 50,
    surfaced boolean NOT NULL DEFAULT false,
    last_surfaced_ms bigint,
    last_surfaced timestamptz GENERATED ALWAYS AS
        (CASE WHEN last_surfaced_ms IS NOT NULL THEN
            to_timestamp(greatest(least(last_surfaced_ms, 253402300799999), -62135596800000) / 1000.0) END) STORED,
    version bigint NOT NULL
);

CREATE INDEX sticky_notes_in_order ON sticky_notes (priority DESC, created_ms DESC, id DESC);
CREATE INDEX sticky_notes_by_tag ON sticky_notes USING gin (tags);

CREATE TABLE facts (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    content text NOT NULL,
    -- The turn or note it comes from.
    source_id uuid,
    event_ms bigint,
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    version bigint NOT NULL
);

CREATE INDEX facts_by_user ON facts (user_id, valid_from_ms DESC);

-- One row a turn.
CREATE TABLE conversations (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    conversation_id uuid NOT NULL,
    -- Its place in the conversation, from 0, without gaps, in the order of arrival.
    ordinal integer NOT NULL,
    message_text text NOT NULL,
    sender text NOT NULL CHECK (sender IN ('user', 'robbie')),
    speaker text,
    at_ms bigint NOT NULL,
    "timestamp" timestamptz NOT NULL GENERATED ALWAYS AS
        (to_timestamp(greatest(least(at_ms, 253402300799999), -62135596800000) / 1000.0)) STORED,
    mood_at_time text NOT NULL,
    version bigint NOT NULL,
    UNIQUE (user_id, conversation_id, ordinal)
);

CREATE INDEX conversations_by_time ON conversations (user_id, at_ms DESC);

-- One row a conversation.
CREATE TABLE talks (
    user_id text NOT NULL,
    id uuid NOT NULL,
    started_ms bigint NOT NULL,
    last_ms bigint NOT NULL,
    turns bigint NOT NULL,
    PRIMARY KEY (user_id, id)
);

CREATE INDEX talks_by_id ON talks (id);
CREATE INDEX talks_in_order ON talks (user_id, last_ms DESC, id DESC);

CREATE TABLE robbie_personality_state (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    mood text NOT NULL,
    attraction_level smallint NOT NULL,
    gandhi_genghis smallint NOT NULL,
    energy smallint NOT NULL DEFAULT 75,
    changed_ms bigint NOT NULL,
    last_updated timestamptz NOT NULL GENERATED ALWAYS AS
        (to_timestamp(greatest(least(changed_ms, 253402300799999), -62135596800000) / 1000.0)) STORED,
    -- What came with the newest change.
    context jsonb,
    version bigint NOT NULL
);

CREATE INDEX robbie_personality_state_by_user ON robbie_personality_state (user_id);

CREATE TABLE mood_changes (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    at_ms bigint NOT NULL,
    from_mood text NOT NULL,
    mood text NOT NULL,
    attraction_level smallint NOT NULL,
    gandhi_genghis smallint NOT NULL,
    energy smallint NOT NULL,
    reason text NOT NULL,
    context text,
    source text NOT NULL,
    version bigint NOT NULL
);

CREATE INDEX mood_changes_in_order ON mood_changes (user_id, at_ms DESC, id DESC);

-- Edits that lost, or came too late. `other` holds what a device sent: bytes, for it may be no text.
CREATE TABLE conflicts (
    id uuid PRIMARY KEY,
    scope text NOT NULL,
    table_id smallint NOT NULL,
    row_id uuid NOT NULL,
    field integer NOT NULL,
    current_author text NOT NULL,
    current_ms bigint NOT NULL,
    other bytea NOT NULL,
    other_author text NOT NULL,
    other_ms bigint NOT NULL,
    why smallint NOT NULL,
    resolved boolean NOT NULL,
    version bigint NOT NULL
);

CREATE INDEX conflicts_open ON conflicts (scope, version DESC) WHERE NOT resolved;

-- Everything that can be found again: by its words, and by the vector of its text.
CREATE TABLE memory (
    -- 0 a note, 1 a fact, 2 a turn.
    kind smallint NOT NULL,
    id uuid NOT NULL,
    -- Empty for what belongs to the town.
    user_id text NOT NULL,
    conversation_id uuid,
    ordinal integer,
    speaker text,
    at_ms bigint NOT NULL,
    -- The first 16 bytes of the text's SHA-256: equal texts share a vector.
    content_hash bytea NOT NULL,
    words integer NOT NULL,
    stems tsvector NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX memory_stems ON memory USING gin (stems);
CREATE INDEX memory_by_hash ON memory (content_hash);
CREATE INDEX memory_by_time ON memory (user_id, at_ms DESC);
CREATE INDEX memory_by_speaker ON memory (user_id, speaker);
CREATE INDEX memory_by_talk ON memory (user_id, conversation_id, ordinal) WHERE conversation_id IS NOT NULL;

-- How much of it there is, for the town (an empty name) and for each user.
CREATE TABLE memory_sizes (
    user_id text PRIMARY KEY,
    rows bigint NOT NULL,
    words bigint NOT NULL
);

-- What a text means to a model.
CREATE TABLE embeddings (
    model text NOT NULL,
    content_hash bytea NOT NULL,
    embedding vector(384) NOT NULL,
    PRIMARY KEY (model, content_hash)
);

-- Messages of chats by their keys, so that each is carried out once.
CREATE TABLE chat_messages (
    user_id text NOT NULL,
    key text NOT NULL,
    conversation_id uuid NOT NULL,
    message_hash bytea NOT NULL,
    at_ms bigint NOT NULL,
    answer text,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX chat_messages_by_age ON chat_messages (user_id, at_ms DESC);
