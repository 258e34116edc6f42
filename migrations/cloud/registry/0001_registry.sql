-- Who is who: towns, their users, tokens and devices, and the codes by which a robot becomes a device. Secrets are kept as
-- SHA-256 and nothing else.

CREATE TABLE registry.towns (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,32}$'),
    -- The user whom the assistant belongs to.
    owner text NOT NULL CHECK (octet_length(owner) BETWEEN 1 AND 96),
    -- The first town's owner may make others.
    is_first boolean NOT NULL,
    created_ms bigint NOT NULL
);

CREATE UNIQUE INDEX one_first_town ON registry.towns (is_first) WHERE is_first;

CREATE TABLE registry.users (
    town text NOT NULL REFERENCES registry.towns ON DELETE CASCADE,
    id text NOT NULL CHECK (octet_length(id) BETWEEN 1 AND 96),
    created_ms bigint NOT NULL,
    PRIMARY KEY (town, id)
);

CREATE TABLE registry.tokens (
    -- Tells tokens apart without their secret.
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{8}$'),
    town text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 96),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    class text NOT NULL CHECK (class IN ('local', 'remote', 'autonomy', 'ai')),
    created_ms bigint NOT NULL,
    FOREIGN KEY (town, user_id) REFERENCES registry.users ON DELETE CASCADE
);

CREATE INDEX tokens_of_town ON registry.tokens (town, user_id);

CREATE TABLE registry.devices (
    town text NOT NULL,
    id text NOT NULL CHECK (id ~ '^[a-z0-9-]{1,32}$'),
    user_id text NOT NULL,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    version text NOT NULL CHECK (octet_length(version) <= 64),
    paired_ms bigint NOT NULL,
    -- A device that is revoked stays in the list; its name can be given again.
    revoked_ms bigint,
    PRIMARY KEY (town, id),
    FOREIGN KEY (town, user_id) REFERENCES registry.users ON DELETE CASCADE
);

CREATE TABLE registry.pairing_codes (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    town text NOT NULL,
    user_id text NOT NULL,
    -- The name that the robot shall have; none: the one it wishes, if that is free.
    robot text CHECK (robot ~ '^[a-z0-9-]{1,32}$'),
    expires_ms bigint NOT NULL,
    FOREIGN KEY (town, user_id) REFERENCES registry.users ON DELETE CASCADE
);

-- Codes that were tried and do not exist: whoever guesses is held up, whichever replica they ask.
CREATE TABLE registry.wrong_codes (
    address text NOT NULL,
    at_ms bigint NOT NULL
);

CREATE INDEX wrong_codes_by_address ON registry.wrong_codes (address, at_ms);
CREATE INDEX wrong_codes_by_age ON registry.wrong_codes (at_ms);

-- Rises with every change of who may, so that each replica sees with one small look whether it must read anew.
CREATE TABLE registry.access_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);

INSERT INTO registry.access_version (version) VALUES (1);

CREATE FUNCTION registry.access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registry.access_version SET version = version + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER tokens_changed AFTER INSERT OR UPDATE OR DELETE ON registry.tokens
    FOR EACH STATEMENT EXECUTE FUNCTION registry.access_changed();
CREATE TRIGGER devices_changed AFTER INSERT OR UPDATE OR DELETE ON registry.devices
    FOR EACH STATEMENT EXECUTE FUNCTION registry.access_changed();
CREATE TRIGGER towns_changed AFTER UPDATE OR DELETE ON registry.towns
    FOR EACH STATEMENT EXECUTE FUNCTION registry.access_changed();
