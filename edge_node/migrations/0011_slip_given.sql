-- Which device was given the slip of a ticket, where it is not the one that the ticket was asked for at: only these may tell what
-- became of a ticket's paper. Deleted with the day's other rows.
CREATE TABLE slip_given (
    device TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (device, ticket_id)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO slip_given (device, ticket_id, at) SELECT device, ticket_id, at FROM print_job;
