-- What a session is worth while nobody sits there, and what belongs to one person at this office's consoles.
ALTER TABLE staff_session ADD COLUMN seen_at TEXT;

ALTER TABLE staff_session ADD COLUMN locked_at TEXT;

-- Keys that somebody chose instead of the usual ones, as JSON {usual: own}.
CREATE TABLE staff_keys (
    staff_id TEXT NOT NULL PRIMARY KEY,
    keys TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The last step of somebody's code generator that was accepted: it and those before it are worth nothing any more.
CREATE TABLE code_step (
    staff_id TEXT NOT NULL PRIMARY KEY,
    step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_code_used (
    code_hash BLOB NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    staff_id TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who asked to see a person's data again after the screen had hidden them. Kept for a year; ids only.
CREATE TABLE reveal (
    id INTEGER NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    staff_id TEXT NOT NULL,
    console TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    appointment_id TEXT
) STRICT;

-- When central was last heard: how long what it told of staff may be relied on.
CREATE TABLE central_heard (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL
) STRICT;
