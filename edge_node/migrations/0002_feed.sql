-- What central has told this office: the full present state of every entity of its streams, as the bytes that came.
CREATE TABLE entity (
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
) STRICT, WITHOUT ROWID;

-- Rows of a snapshot on their way in. They show nowhere until one transaction swaps them with the entities.
CREATE TABLE entity_staging (
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
) STRICT, WITHOUT ROWID;

-- The place in each stream that the entities stand for; written in the transaction that writes them.
CREATE TABLE cursor (
    stream TEXT NOT NULL PRIMARY KEY,
    gen TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

-- How far central has acknowledged the journal, by epoch.
CREATE TABLE uplink_ack (
    epoch INTEGER NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
