-- What staff wrote for each other about a ticket's person: personal, so it stays in this file. Deleted two days after the day.
CREATE TABLE remark (
    ticket_id TEXT NOT NULL PRIMARY KEY,
    service_date TEXT NOT NULL,
    note TEXT NOT NULL CHECK (length(note) <= 140),
    noted_by TEXT NOT NULL,
    needs TEXT NOT NULL
) STRICT, WITHOUT ROWID;
