-- Messages of chats by the key that their sender gave them, so that one sent again is answered and not carried out again.
-- `answer` is null until there is one. The oldest go, see the store's limits.

CREATE TABLE chat_messages (
    n INTEGER PRIMARY KEY,
    town TEXT NOT NULL,
    user_id TEXT NOT NULL,
    key TEXT NOT NULL,
    conversation_id BLOB NOT NULL CHECK (length(conversation_id) = 16),
    message_hash BLOB NOT NULL CHECK (length(message_hash) = 16),
    answer TEXT,
    at_ms INTEGER NOT NULL,
    UNIQUE (town, user_id, key)
) STRICT;
