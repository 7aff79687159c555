-- Rows that a snapshot of another gen did not have: central was restored and has forgotten them. They go on counting until
-- central has this office's report.
CREATE TABLE entity_aside (
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
) STRICT, WITHOUT ROWID;

-- The later epoch that holds this office: this node has no authority any more, whatever becomes of its process.
CREATE TABLE fence (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL CHECK (epoch >= 1)
) STRICT;

-- What was done with leased seats is read from the whole journal at every start, across days.
CREATE INDEX fact_of_leases ON fact (epoch, seq) WHERE type IN ('lease.sold', 'lease.returned');
