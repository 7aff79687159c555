-- Rights that move between offices and central: tokens of tickets, leased seats, the conflict inbox, a restored central's
-- recovery, and the record of what a person attested.

-- Who holds a ticket that has moved; one that never moved has no row. The grant is what its office was told.
CREATE TABLE ticket_token (
    ticket_id uuid PRIMARY KEY,
    tenure integer NOT NULL CHECK (tenure >= 1),
    office text NOT NULL,
    accepted boolean NOT NULL,
    service_date date NOT NULL,
    grant_body bytea
);

CREATE INDEX ticket_token_in_transit ON ticket_token (office) WHERE NOT accepted;
CREATE INDEX ticket_token_by_day ON ticket_token (service_date);

-- Seats lent to one life of an office's node. The body is what the office was told; its id and fence stand beside it for
-- those who look.
CREATE TABLE lease (
    lease_id uuid PRIMARY KEY,
    office text NOT NULL,
    fence integer NOT NULL,
    body bytea NOT NULL,
    reclaimed boolean NOT NULL DEFAULT false,
    lent_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz -- nothing of it is outstanding any more, and its office was told
);

CREATE INDEX lease_by_end ON lease (settled_at);

-- What became of each seat of a lease; seat rows go on to other claims, this account stays. Without an outcome a seat is
-- outstanding until its slot begins, and lapsed from then on.
CREATE TABLE lease_seat (
    lease_id uuid NOT NULL REFERENCES lease ON DELETE CASCADE,
    slot_id uuid NOT NULL,
    seat_no integer NOT NULL,
    start_at timestamptz NOT NULL,
    outcome text CHECK (outcome IN ('sold', 'returned', 'reclaimed')),
    PRIMARY KEY (lease_id, slot_id, seat_no)
);

ALTER TABLE seat DROP COLUMN fence; -- a lease has one

-- What happened on both sides of a cut and a person should look at. The key is the divergence: found again, it stays as it is.
CREATE TABLE conflict (
    key text PRIMARY KEY,
    kind text NOT NULL,
    office text NOT NULL,
    subject_id text NOT NULL,
    suggestion text NOT NULL,
    detail bytea NOT NULL, -- ids and codes as JSON, never personal data
    noted_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by text,
    resolution text,
    CHECK (num_nonnulls(resolved_at, resolved_by, resolution) IN (0, 3))
);

CREATE INDEX conflict_by_end ON conflict (resolved_at);

-- Central's own word that a node speaks for its office from its epoch on (Ed25519, 64 bytes); none for one that was only
-- registered by hand before.
ALTER TABLE node ADD COLUMN activation bytea CHECK (octet_length(activation) = 64);

-- Offices whose report a restored central waits for; none: it is open.
ALTER TABLE central_life ADD COLUMN awaited text[] NOT NULL DEFAULT '{}';

-- What people did at central that no machine may do by itself, and what they attested. Only ever added to.
CREATE TABLE audit (
    audit_id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    attested text NOT NULL DEFAULT '',
    detail bytea NOT NULL -- ids and codes as JSON
);

CREATE INDEX audit_by_time ON audit (at);

-- An appointment sold from a lease, or known to an office only, comes without its person. Its locator was made at the office
-- and stands in somebody's hand, so it cannot be refused for being somebody else's too.
ALTER TABLE appointment ALTER COLUMN person_hash DROP NOT NULL;
DROP INDEX appointment_locator;
CREATE UNIQUE INDEX appointment_locator ON appointment (locator)
    WHERE status = 'booked' AND channel NOT IN ('lease', 'recovered');
CREATE INDEX appointment_by_locator ON appointment (locator) WHERE status = 'booked';

-- Where the person of an appointment came: the first office that said so.
ALTER TABLE appointment ADD COLUMN attended_office text;

-- The versions of its configuration that an office works with, by kind of feed row, as it said last.
CREATE TABLE office_configuration (
    office text PRIMARY KEY,
    versions bytea NOT NULL, -- JSON
    applied_at timestamptz NOT NULL
);
