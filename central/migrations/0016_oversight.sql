-- phase: expand
-- What managers and admins look into: acts by what they were about, what was deleted and when, appointments that are being moved.

CREATE INDEX audit_by_subject ON audit (subject, at);

-- What a rule of retention deleted or emptied. One row per kind and run that found something, and one a day in any case.
CREATE TABLE retention_run (
    run_id uuid PRIMARY KEY,
    kind text NOT NULL,
    older_than timestamptz NOT NULL, -- what ended before was to go
    began_at timestamptz NOT NULL,
    ended_at timestamptz, -- none: it was interrupted, and the next run goes on
    gone bigint NOT NULL DEFAULT 0, -- written with every batch
    oldest_left timestamptz, -- after the end; none: nothing was left
    run_by text NOT NULL
);

CREATE INDEX retention_run_by_kind ON retention_run (kind, began_at);

-- Appointments that lost their place and that somebody has told central to move or to leave with an offer.
CREATE TABLE closure_run (
    run_id uuid PRIMARY KEY,
    office_id text NOT NULL,
    began_at timestamptz NOT NULL,
    begun_by text NOT NULL,
    notice_min int NOT NULL, -- with which places were and are looked for
    own_office_only boolean NOT NULL,
    ended_at timestamptz -- none: there are appointments that wait for their turn
);

CREATE INDEX closure_run_by_office ON closure_run (office_id, began_at);
CREATE INDEX closure_run_open ON closure_run (began_at) WHERE ended_at IS NULL;

CREATE TABLE closure_item (
    run_id uuid NOT NULL REFERENCES closure_run,
    place int NOT NULL, -- in the order in which they were booked
    appointment_id uuid NOT NULL,
    request_id uuid NOT NULL, -- under which it is moved: sent again after a crash, it is moved once
    act text NOT NULL CHECK (act IN ('move', 'offer')),
    was_office_id text NOT NULL,
    was_start_at timestamptz NOT NULL,
    to_office_id text NOT NULL,
    to_start_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    problem text NOT NULL DEFAULT '', -- code of why not
    ended_at timestamptz,
    PRIMARY KEY (run_id, place)
);

CREATE INDEX closure_item_waiting ON closure_item (run_id, place) WHERE state = 'waiting';
CREATE UNIQUE INDEX closure_item_waiting_once ON closure_item (appointment_id) WHERE state = 'waiting';
CREATE INDEX closure_item_by_appointment ON closure_item (appointment_id);

-- The hours of a single day that staff closed over: what the day is again when the closure is lifted.
CREATE TABLE closed_over (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    service_date date NOT NULL,
    open boolean NOT NULL,
    opens time,
    closes time,
    note text NOT NULL,
    source text NOT NULL, -- as in dated_hours: a load replaces what is the city's here, too
    PRIMARY KEY (office_id, service_date)
);
