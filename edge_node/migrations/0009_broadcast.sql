-- What supervisors tell all consoles of the office. Free text, so it stays in this file. Deleted two days after its end.
CREATE TABLE broadcast (
    id TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 140),
    posted_by TEXT NOT NULL,
    posted_at TEXT NOT NULL,
    until_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
