-- Slots, seats and what is booked on them. One row per seat: the primary key is what forbids selling one twice.

CREATE TABLE slot (
    slot_id uuid PRIMARY KEY,
    office_id text NOT NULL,
    pool_id text NOT NULL,
    service_date date NOT NULL,
    start_at timestamptz NOT NULL,
    duration_min int NOT NULL,
    open boolean NOT NULL DEFAULT true, -- false: hours changed; its bookings stay until somebody moves them
    UNIQUE (office_id, pool_id, start_at),
    FOREIGN KEY (office_id, pool_id) REFERENCES pool
);

CREATE INDEX slot_by_day ON slot (office_id, service_date);

-- No index on what a claim changes, and room on the page: claims are heap-only updates.
CREATE TABLE seat (
    slot_id uuid NOT NULL REFERENCES slot ON DELETE CASCADE,
    seat_no int NOT NULL CHECK (seat_no >= 1),
    state text NOT NULL DEFAULT 'free',
    over boolean NOT NULL DEFAULT false, -- above the capacity: claimed when it was cut, not sold again
    appointment_id uuid,
    hold_id uuid,
    held_until timestamptz,
    lease_id uuid,
    fence int,
    PRIMARY KEY (slot_id, seat_no),
    CONSTRAINT seat_claim_fits_state CHECK (
        CASE state
            WHEN 'free' THEN num_nonnulls(appointment_id, hold_id, held_until, lease_id) = 0
            WHEN 'held' THEN hold_id IS NOT NULL AND held_until IS NOT NULL AND num_nonnulls(appointment_id, lease_id) = 0
            WHEN 'booked' THEN appointment_id IS NOT NULL AND num_nonnulls(hold_id, held_until) = 0
            WHEN 'leased' THEN lease_id IS NOT NULL AND num_nonnulls(appointment_id, hold_id, held_until) = 0
            ELSE false
        END
    )
) WITH (fillfactor = 50);

-- Seats kept while somebody fills in the form. The row is what the sweeper and an extension need; the seats are the claim.
CREATE TABLE hold (
    hold_id uuid PRIMARY KEY,
    office_id text NOT NULL,
    pool_id text NOT NULL,
    service_id text NOT NULL,
    start_at timestamptz NOT NULL,
    starts timestamptz[] NOT NULL,
    duration_min int NOT NULL,
    held_until timestamptz NOT NULL,
    extensions int NOT NULL DEFAULT 0
);

CREATE INDEX hold_by_end ON hold (held_until);

-- No foreign keys to office and service: their rows are never deleted, and a shared lock on the office's row by every
-- booking would make them wait for each other.
CREATE TABLE appointment (
    appointment_id uuid PRIMARY KEY,
    version int NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'booked' CHECK (status IN ('booked', 'cancelled', 'attended', 'no_show', 'unknown')),
    locator text NOT NULL,
    office_id text NOT NULL,
    pool_id text NOT NULL,
    service_id text NOT NULL,
    family text NOT NULL,
    service_date date NOT NULL,
    slot_start_at timestamptz NOT NULL,
    starts timestamptz[] NOT NULL, -- of its slots
    duration_min int NOT NULL,
    person_hash bytea NOT NULL, -- HMAC of the document under a key that never leaves central
    language text NOT NULL,
    needs text[] NOT NULL DEFAULT '{}',
    channel text NOT NULL,
    link_version int NOT NULL DEFAULT 1,
    fed_version int, -- the version that its office's stream holds as booked; none: not there
    booked_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    -- personal, emptied by the retention job
    full_name text,
    document_end text,
    email text,
    phone text
);

CREATE UNIQUE INDEX appointment_one_per_family ON appointment (person_hash, family) WHERE status = 'booked';
CREATE UNIQUE INDEX appointment_locator ON appointment (locator) WHERE status = 'booked';
CREATE INDEX appointment_unfed ON appointment (office_id, service_date)
    WHERE status = 'booked' AND fed_version IS DISTINCT FROM version;
CREATE INDEX appointment_by_day ON appointment (service_date, office_id);

-- How far each office's slots were made.
CREATE TABLE slot_horizon (
    office_id text PRIMARY KEY REFERENCES office ON DELETE CASCADE,
    slots_until date NOT NULL
);

-- What a request was answered, so that a repeated one gets the same answer. Deleted after 48 h.
CREATE TABLE booking_reply (
    request_id uuid PRIMARY KEY,
    fingerprint bytea NOT NULL, -- SHA-256 of what was asked: the same id with another question is refused
    reply bytea NOT NULL,
    answered_at timestamptz NOT NULL
);

CREATE INDEX booking_reply_by_age ON booking_reply (answered_at);

-- The half-filled form of the wizard, by the SHA-256 of the cookie that opens it.
CREATE TABLE booking_draft (
    cookie_hash bytea PRIMARY KEY,
    body bytea NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX booking_draft_by_end ON booking_draft (expires_at);

-- Tries to find an appointment by locator and document, to slow down guessing.
CREATE TABLE lookup_try (
    locator text NOT NULL,
    tried_at timestamptz NOT NULL
);

CREATE INDEX lookup_try_by_locator ON lookup_try (locator, tried_at);

-- Mails to send. `sending` is written before the first byte goes out: a mail whose end nobody saw becomes `unsure` and is
-- not sent again by itself. Body and recipient are deleted once it is sent.
CREATE TABLE mail (
    mail_id uuid PRIMARY KEY,
    kind text NOT NULL,
    appointment_id uuid NOT NULL,
    version int NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'unsure', 'failed', 'dropped')),
    recipient text,
    message bytea,
    attempts int NOT NULL DEFAULT 0,
    queued_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    ended_at timestamptz,
    problem text NOT NULL DEFAULT '',
    UNIQUE (kind, appointment_id, version)
);

CREATE INDEX mail_due ON mail (next_at) WHERE state IN ('queued', 'sending');
