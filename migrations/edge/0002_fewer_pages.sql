-- Fewer pages a row. An order that runs backwards makes SQLite fill the very page that the next row goes to, so that nearly
-- every row splits it; read backwards, an order that runs forwards serves the same lists.

DROP INDEX notes_in_order;
CREATE INDEX notes_in_order ON notes (town, priority, created_ms, id);

DROP INDEX conversations_in_order;
CREATE INDEX conversations_in_order ON conversations (town, user_id, last_ms, id);

DROP INDEX mood_changes_in_order;
CREATE INDEX mood_changes_in_order ON mood_changes (town, user_id, at_ms, id);

-- The newest event is never dropped, so that ids rise without a counter in a table of its own.
CREATE TABLE events_new (
    id INTEGER PRIMARY KEY,
    town TEXT NOT NULL,
    user_id TEXT NOT NULL, -- empty: everybody in the town
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO events_new SELECT id, town, user_id, kind, data, at_ms FROM events;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
