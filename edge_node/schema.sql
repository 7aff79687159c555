CREATE TABLE broadcast (
    id TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 140),
    posted_by TEXT NOT NULL,
    posted_at TEXT NOT NULL,
    until_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE central_heard (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL
) STRICT;

CREATE TABLE code_step (
    staff_id TEXT NOT NULL PRIMARY KEY,
    step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    stream TEXT NOT NULL PRIMARY KEY,
    gen TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('kiosk', 'display')),
    zone TEXT NOT NULL,
    printer_profile TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entity (
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE entity_aside (
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE entity_staging (
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    office TEXT NOT NULL,
    type TEXT NOT NULL,
    v INTEGER NOT NULL,
    request_id TEXT,
    actor_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    mono_ns INTEGER NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_beyond_the_day ON fact (epoch, seq) WHERE type IN ('lease.sold', 'lease.returned', 'node.break_glass');

CREATE INDEX fact_day_opened ON fact (epoch, seq) WHERE type = 'day.opened';

CREATE TABLE fence (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL CHECK (epoch >= 1)
) STRICT;

CREATE TABLE follow_code (
    ticket_id TEXT NOT NULL PRIMARY KEY,
    code BLOB NOT NULL CHECK (length(code) = 16),
    service_date TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lease_person (
    appointment_id TEXT NOT NULL PRIMARY KEY,
    full_name TEXT NOT NULL,
    document_kind TEXT NOT NULL,
    document TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    language TEXT NOT NULL,
    needs TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE node (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    office TEXT NOT NULL,
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    csrf_secret TEXT NOT NULL
) STRICT;

CREATE TABLE person (
    appointment_id TEXT NOT NULL PRIMARY KEY,
    service_date TEXT NOT NULL,
    display_name TEXT NOT NULL,
    needs TEXT NOT NULL,
    language TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE print_job (
    job_id TEXT NOT NULL PRIMARY KEY,
    device TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    message BLOB NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_code_used (
    code_hash BLOB NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    staff_id TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE remark (
    ticket_id TEXT NOT NULL PRIMARY KEY,
    service_date TEXT NOT NULL,
    note TEXT NOT NULL CHECK (length(note) <= 140),
    noted_by TEXT NOT NULL,
    needs TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
    request_id TEXT NOT NULL PRIMARY KEY,
    reply BLOB NOT NULL,
    at TEXT NOT NULL
, asked BLOB) STRICT, WITHOUT ROWID;

CREATE TABLE reveal (
    id INTEGER NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    staff_id TEXT NOT NULL,
    console TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    appointment_id TEXT
) STRICT;

CREATE TABLE slip_given (
    device TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (device, ticket_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_keys (
    staff_id TEXT NOT NULL PRIMARY KEY,
    keys TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_session (
    token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    staff_id TEXT NOT NULL,
    console TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
, verifier_hash BLOB CHECK (length(verifier_hash) = 32), seen_at TEXT, locked_at TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE uplink_ack (
    epoch INTEGER NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
