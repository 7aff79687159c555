-- The central end of sync: the raw log of the offices' facts, and the feed that tells the offices what central knows.
-- Bodies are bytes as they were encoded once: hashes are over them, so they are never jsonb here.

-- One life of this database. A restore from a backup must give it a new random gen, so that every cursor is checked anew.
CREATE TABLE central_life (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    gen uuid NOT NULL DEFAULT gen_random_uuid(),
    began_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO central_life DEFAULT VALUES;

-- Who may write an office's facts, and the end of its raw log. Locked first by every ingest: one at a time per office.
CREATE TABLE office_authority (
    office text PRIMARY KEY REFERENCES office (id),
    epoch integer NOT NULL CHECK (epoch >= 1),
    last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    last_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(last_hash) = 32)
) WITH (fillfactor = 50);

-- What central last heard of an office's node; observations, never authority, so apart from the row that ingest locks.
CREATE TABLE office_link (
    office text PRIMARY KEY REFERENCES office (id),
    last_contact_at timestamptz NOT NULL,
    hello_at timestamptz,
    node_id text,
    incarnation uuid,
    clock_offset_ms bigint,
    disk_free_bytes bigint,
    sqlite_version text,
    edge_schema text,
    reported_seq bigint
) WITH (fillfactor = 50);

-- The nodes that may speak for an office, and the key that each signs with (Ed25519, 32 raw bytes).
CREATE TABLE node (
    id text PRIMARY KEY,
    office text NOT NULL REFERENCES office (id),
    epoch integer NOT NULL CHECK (epoch >= 1),
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    UNIQUE (office, epoch)
);

-- The raw log. No foreign key: a row is only written under the lock on the office's authority. Partitions by month of
-- received_at can come later without a change to any statement.
CREATE TABLE fact (
    office text NOT NULL,
    epoch integer NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    type text NOT NULL,
    v integer NOT NULL,
    request_id uuid,
    actor_id text NOT NULL,
    device_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    boot_id text NOT NULL,
    mono_ns bigint NOT NULL,
    body bytea NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (office, epoch, seq)
);

-- Where the fold of an office day begins.
CREATE INDEX fact_day_opened ON fact (office, epoch, seq) WHERE type = 'day.opened';

-- Facts that are in the raw log and in no projection, for a person to look at.
CREATE TABLE fact_parked (
    office text NOT NULL,
    epoch integer NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    detail text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (office, epoch, seq),
    FOREIGN KEY (office, epoch, seq) REFERENCES fact (office, epoch, seq)
);

CREATE INDEX fact_parked_open ON fact_parked (office) WHERE resolved_at IS NULL;

-- The end of each stream. The lock on its row is held to commit, so commit order is seq order and rollbacks leave no hole.
CREATE TABLE stream_head (
    stream text COLLATE "C" PRIMARY KEY,
    head bigint NOT NULL CHECK (head >= 1),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

-- Rows of the streams, kept for 14 days: an older cursor takes a snapshot.
CREATE TABLE feed (
    stream text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    op text NOT NULL CHECK (op IN ('put', 'del')),
    body bytea NOT NULL,
    row_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, seq)
);

-- What a reader of the whole stream holds in the end: the source of snapshots.
CREATE TABLE feed_entity (
    stream text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
);

-- Adds a row to a stream and returns the stream's new end. Call it last in a transaction, streams in sorted order: the
-- stream stands still for all others until this transaction ends. Row bytes: the same as sync.messages.feed.row_bytes
-- (to_json escapes a text as msgspec does), which a test proves. No NOTIFY here: Postgres lets transactions with one commit
-- only one after the other, which makes bookings five times slower; central looks at stream_head instead.
CREATE FUNCTION feed_put(
    p_stream text, p_kind text, p_entity_id text, p_version bigint, p_op text, p_body bytea,
    OUT fed_seq bigint, OUT fed_hash bytea
) LANGUAGE plpgsql AS $$
DECLARE
    row_bytes bytea := convert_to(
        '[' || to_json(p_kind) || ',' || to_json(p_entity_id) || ',' || p_version || ',"' || p_op || '"]', 'UTF8'
    ) || p_body;
BEGIN
    INSERT INTO stream_head AS h (stream, head, hash)
    VALUES (p_stream, 1, sha256(decode(repeat('00', 32), 'hex') || row_bytes))
    ON CONFLICT (stream) DO UPDATE SET head = h.head + 1, hash = sha256(h.hash || row_bytes)
    RETURNING h.head, h.hash INTO fed_seq, fed_hash;

    INSERT INTO feed (stream, seq, kind, entity_id, version, op, body, row_hash)
    VALUES (p_stream, fed_seq, p_kind, p_entity_id, p_version, p_op, p_body, fed_hash);

    IF p_op = 'put' THEN
        INSERT INTO feed_entity AS e (stream, kind, entity_id, version, body)
        VALUES (p_stream, p_kind, p_entity_id, p_version, p_body)
        ON CONFLICT (stream, kind, entity_id) DO UPDATE SET version = excluded.version, body = excluded.body;
    ELSE
        DELETE FROM feed_entity e WHERE e.stream = p_stream AND e.kind = p_kind AND e.entity_id = p_entity_id;
    END IF;
END
$$;

-- Like feed_put for entities that carry no version of their own: nothing happens when the body is what the stream already
-- has, else the version grows by one. Returns the new end, or NULL when nothing changed.
CREATE FUNCTION feed_put_changed(
    p_stream text, p_kind text, p_entity_id text, p_body bytea,
    OUT fed_seq bigint, OUT fed_hash bytea
) LANGUAGE plpgsql AS $$
DECLARE
    known feed_entity%ROWTYPE;
BEGIN
    -- Two writers of one entity must not both see the old state.
    PERFORM 1 FROM stream_head h WHERE h.stream = p_stream FOR UPDATE;
    SELECT * INTO known FROM feed_entity e
    WHERE e.stream = p_stream AND e.kind = p_kind AND e.entity_id = p_entity_id;
    IF known.body IS NOT DISTINCT FROM p_body THEN
        RETURN;
    END IF;
    SELECT p.fed_seq, p.fed_hash INTO fed_seq, fed_hash
    FROM feed_put(p_stream, p_kind, p_entity_id, coalesce(known.version, 0) + 1, 'put', p_body) p;
END
$$;
