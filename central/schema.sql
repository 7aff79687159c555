-- The whole schema of central's database, as the steps in migrations/ leave it. For readers: the runner never uses it, and a
-- test proves that it is equal to the replayed steps. Whoever adds a step changes this file too.

-- ------------------------------------------------------------------------------------------------ schema_migration

CREATE TABLE schema_migration (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now(),
    phase text NOT NULL DEFAULT 'contract' CHECK (phase IN ('expand', 'contract'))
);

-- ----------------------------------------------------------------------------------------- offices

-- The city's catalogue: what central decides and the offices are told. Loaded from a TOML (`python -m central load-city`).

CREATE TABLE office (
    id text PRIMARY KEY,
    position int NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    phone text NOT NULL DEFAULT '',
    directions jsonb NOT NULL DEFAULT '{}', -- how to get there, by language
    latitude numeric(8, 5),
    longitude numeric(8, 5),
    time_zone text NOT NULL,
    zones text[] NOT NULL,
    spare_series text NOT NULL,
    second_language text NOT NULL,
    policy jsonb NOT NULL,
    policy_from date NOT NULL
);

CREATE TABLE service (
    id text PRIMARY KEY,
    position int NOT NULL,
    family text NOT NULL, -- one booked appointment per person and family
    names jsonb NOT NULL,
    summaries jsonb NOT NULL DEFAULT '{}',
    documents jsonb NOT NULL DEFAULT '[]',
    online_url text NOT NULL DEFAULT '',
    series text NOT NULL,
    duration_min int NOT NULL CHECK (duration_min BETWEEN 1 AND 480),
    walk_in boolean NOT NULL,
    bookable boolean NOT NULL,
    sensitive boolean NOT NULL,
    pictogram text NOT NULL
);

CREATE TABLE office_service (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    service_id text NOT NULL REFERENCES service ON DELETE CASCADE,
    position int NOT NULL,
    PRIMARY KEY (office_id, service_id)
);

CREATE TABLE opening_hours (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    weekday int NOT NULL CHECK (weekday BETWEEN 0 AND 6), -- 0 = Monday
    opens time NOT NULL,
    closes time NOT NULL CHECK (closes > opens),
    PRIMARY KEY (office_id, weekday, opens)
);

-- Replaces the weekly hours of one service day. Open without times = round the clock.
CREATE TABLE dated_hours (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    service_date date NOT NULL,
    open boolean NOT NULL,
    opens time,
    closes time,
    note text NOT NULL DEFAULT '',
    source text NOT NULL DEFAULT 'staff', -- 'city': from the loaded file, replaced by the next load
    PRIMARY KEY (office_id, service_date),
    CHECK ((opens IS NULL) = (closes IS NULL)),
    CHECK (closes > opens),
    CHECK (open OR opens IS NULL)
);

CREATE TABLE holiday (
    day date PRIMARY KEY,
    names jsonb NOT NULL,
    confirmed boolean NOT NULL -- false: the date is only estimated; offices stay open until somebody confirms it
);

CREATE TABLE counter (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    id text NOT NULL,
    position int NOT NULL,
    zone text NOT NULL,
    primary_services text[] NOT NULL,
    secondary_services text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (office_id, id)
);

CREATE TABLE staff (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    id text NOT NULL,
    display_name text NOT NULL,
    roles text[] NOT NULL CHECK (roles <@ ARRAY['clerk', 'supervisor', 'manager', 'admin']),
    verifier text NOT NULL, -- argon2id, PHC form
    valid_until timestamptz NOT NULL,
    demo boolean NOT NULL DEFAULT false, -- its password stands in a file of the project
    PRIMARY KEY (office_id, id)
);

-- What staff's one-time codes are verified with. Apart from staff: loading a city file replaces those rows, never this.
CREATE TABLE second_factor (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    staff_id text NOT NULL,
    secret bytea NOT NULL CHECK (length(secret) >= 20),
    recovery bytea[] NOT NULL, -- SHA-256 of each recovery code
    enrolled_at timestamptz NOT NULL,
    enrolled_by text NOT NULL,
    last_step bigint NOT NULL DEFAULT -1, -- used up at central; an office keeps its own
    recovery_used bytea[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (office_id, staff_id)
);

-- Capacity of an office for some services: start times every slot_min minutes, `seats` parallel places in each.
CREATE TABLE pool (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    id text NOT NULL,
    services text[] NOT NULL,
    slot_min int NOT NULL CHECK (slot_min BETWEEN 5 AND 120),
    seats int NOT NULL CHECK (seats BETWEEN 0 AND 10000),
    PRIMARY KEY (office_id, id)
);

-- Another number of seats in a part of the week.
CREATE TABLE pool_band (
    office_id text NOT NULL,
    pool_id text NOT NULL,
    weekday int NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    starts time NOT NULL,
    ends time NOT NULL CHECK (ends > starts),
    seats int NOT NULL CHECK (seats BETWEEN 0 AND 10000),
    PRIMARY KEY (office_id, pool_id, weekday, starts),
    FOREIGN KEY (office_id, pool_id) REFERENCES pool ON DELETE CASCADE
);

-- ----------------------------------------------------------------------------------------- booking

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
    extensions int NOT NULL DEFAULT 0,
    holder bytea -- where it was asked from: an HMAC of the address under a key that never leaves central
);

CREATE INDEX hold_by_end ON hold (held_until);
CREATE INDEX hold_by_holder ON hold (holder, held_until) WHERE holder IS NOT NULL;

-- Whether one more hold may stand for a holder. One at a time, until its hold is committed; the count is a statement of its
-- own, so it sees what was committed while this one waited.
CREATE FUNCTION hold_has_room(p_holder bytea, p_now timestamptz, p_replaced uuid, p_most int) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    standing bigint;
BEGIN
    IF p_holder IS NULL THEN
        RETURN true;
    END IF;
    PERFORM pg_advisory_xact_lock(1936484212, hashtext(encode(p_holder, 'hex')));
    SELECT count(*) INTO standing FROM hold
    WHERE holder = p_holder AND held_until > p_now AND hold_id IS DISTINCT FROM p_replaced;
    RETURN standing < p_most;
END
$$;

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
    person_hash bytea, -- HMAC of the document under a key that never leaves central
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
    phone text,
    attended_office text -- where its person came: the first office that said so
);

CREATE UNIQUE INDEX appointment_one_per_family ON appointment (person_hash, family) WHERE status = 'booked';
CREATE UNIQUE INDEX appointment_locator ON appointment (locator)
    WHERE status = 'booked' AND channel NOT IN ('lease', 'recovered'); -- an office makes one without asking
CREATE INDEX appointment_by_locator ON appointment (locator) WHERE status = 'booked';
CREATE INDEX appointment_unfed ON appointment (office_id, service_date)
    WHERE status = 'booked' AND fed_version IS DISTINCT FROM version;
CREATE INDEX appointment_by_day ON appointment (service_date, office_id);
-- What still has a person: what retention and erasing read, and the proof that nothing older is left.
CREATE INDEX appointment_with_person ON appointment (service_date)
    WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0;
-- What has no end yet, or one that a later report may tell better.
CREATE INDEX appointment_unsettled ON appointment (office_id, service_date) WHERE status IN ('booked', 'unknown');

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

-- Tries to find an appointment by locator and document, to slow down guessing: one row per locator, so that tries at the same
-- moment wait for each other and none of them is left out of the count. `refused`: the last one was one too many.
CREATE TABLE lookup_try (
    locator text PRIMARY KEY,
    tried_at timestamptz[] NOT NULL,
    refused boolean NOT NULL DEFAULT false
);

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

-- ---------------------------------------------------------------------------------------- exchange

-- The central end of sync: the raw log of the offices' facts, and the feed that tells the offices what central knows.
-- Bodies are bytes as they were encoded once: hashes are over them, so they are never jsonb here.

-- One life of this database. A restore from a backup must give it a new random gen, so that every cursor is checked anew.
CREATE TABLE central_life (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    gen uuid NOT NULL DEFAULT gen_random_uuid(),
    began_at timestamptz NOT NULL DEFAULT now(),
    awaited text[] NOT NULL DEFAULT '{}' -- offices whose report a restored central waits for; none: it is open
);
INSERT INTO central_life DEFAULT VALUES;

-- Who may write an office's facts, and the end of its raw log. Locked first by every ingest: one at a time per office.
CREATE TABLE office_authority (
    office text PRIMARY KEY REFERENCES office (id),
    epoch integer NOT NULL CHECK (epoch >= 1),
    last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    last_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(last_hash) = 32)
) WITH (fillfactor = 50);

-- What central last heard of an office's node; observations, never authority, so apart from the row that ingest locks.
CREATE TABLE office_link (
    office text PRIMARY KEY REFERENCES office (id),
    last_contact_at timestamptz NOT NULL,
    hello_at timestamptz,
    node_id text,
    incarnation uuid,
    clock_offset_ms bigint,
    disk_free_bytes bigint,
    sqlite_version text,
    edge_schema text,
    reported_seq bigint,
    rolled_back boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- The nodes that may speak for an office, and the key that each signs with (Ed25519, 32 raw bytes).
CREATE TABLE node (
    id text PRIMARY KEY,
    office text NOT NULL REFERENCES office (id),
    epoch integer NOT NULL CHECK (epoch >= 1),
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    activation bytea CHECK (octet_length(activation) = 64), -- central's own word for it, signed; none before it did so
    UNIQUE (office, epoch)
);

-- The raw log. No foreign key: a row is only written under the lock on the office's authority. Partitions by month of
-- received_at can come later without a change to any statement.
CREATE TABLE fact (
    office text NOT NULL,
    epoch integer NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    type text NOT NULL,
    v integer NOT NULL,
    request_id uuid,
    actor_id text NOT NULL,
    device_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    boot_id text NOT NULL,
    mono_ns bigint NOT NULL,
    body bytea NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (office, epoch, seq)
);

-- Where the fold of an office day begins.
CREATE INDEX fact_day_opened ON fact (office, epoch, seq) WHERE type = 'day.opened';

-- What an office told stays as it was told: the chain of hashes shows a change, and this stops one made by mistake. Whole
-- partitions may go by their own commands; a row never does.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is a log: rows are neither changed nor deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER fact_stays BEFORE UPDATE OR DELETE ON fact FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Facts that are in the raw log and in no projection, for a person to look at.
CREATE TABLE fact_parked (
    office text NOT NULL,
    epoch integer NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    detail text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (office, epoch, seq),
    FOREIGN KEY (office, epoch, seq) REFERENCES fact (office, epoch, seq)
);

CREATE INDEX fact_parked_open ON fact_parked (office) WHERE resolved_at IS NULL;

-- The end of each stream. The lock on its row is held to commit, so commit order is seq order and rollbacks leave no hole.
CREATE TABLE stream_head (
    stream text COLLATE "C" PRIMARY KEY,
    head bigint NOT NULL CHECK (head >= 1),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

-- Rows of the streams, kept for 14 days: an older cursor takes a snapshot.
CREATE TABLE feed (
    stream text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    op text NOT NULL CHECK (op IN ('put', 'del')),
    body bytea NOT NULL,
    row_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, seq)
);

-- What a reader of the whole stream holds in the end: the source of snapshots.
CREATE TABLE feed_entity (
    stream text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (stream, kind, entity_id)
);

-- Adds a row to a stream and returns the stream's new end. Call it last in a transaction, streams in sorted order: the
-- stream stands still for all others until this transaction ends. Row bytes: the same as sync.messages.feed.row_bytes
-- (to_json escapes a text as msgspec does), which a test proves. No NOTIFY here: Postgres lets transactions with one commit
-- only one after the other, which makes bookings five times slower; central looks at stream_head instead.
CREATE FUNCTION feed_put(
    p_stream text, p_kind text, p_entity_id text, p_version bigint, p_op text, p_body bytea,
    OUT fed_seq bigint, OUT fed_hash bytea
) LANGUAGE plpgsql AS $$
DECLARE
    row_bytes bytea := convert_to(
        '[' || to_json(p_kind) || ',' || to_json(p_entity_id) || ',' || p_version || ',"' || p_op || '"]', 'UTF8'
    ) || p_body;
BEGIN
    INSERT INTO stream_head AS h (stream, head, hash)
    VALUES (p_stream, 1, sha256(decode(repeat('00', 32), 'hex') || row_bytes))
    ON CONFLICT (stream) DO UPDATE SET head = h.head + 1, hash = sha256(h.hash || row_bytes)
    RETURNING h.head, h.hash INTO fed_seq, fed_hash;

    INSERT INTO feed (stream, seq, kind, entity_id, version, op, body, row_hash)
    VALUES (p_stream, fed_seq, p_kind, p_entity_id, p_version, p_op, p_body, fed_hash);

    IF p_op = 'put' THEN
        INSERT INTO feed_entity AS e (stream, kind, entity_id, version, body)
        VALUES (p_stream, p_kind, p_entity_id, p_version, p_body)
        ON CONFLICT (stream, kind, entity_id) DO UPDATE SET version = excluded.version, body = excluded.body;
    ELSE
        DELETE FROM feed_entity e WHERE e.stream = p_stream AND e.kind = p_kind AND e.entity_id = p_entity_id;
    END IF;
END
$$;

-- Like feed_put for entities that carry no version of their own: nothing happens when the body is what the stream already
-- has, else the version grows by one. Returns the new end, or NULL when nothing changed.
CREATE FUNCTION feed_put_changed(
    p_stream text, p_kind text, p_entity_id text, p_body bytea,
    OUT fed_seq bigint, OUT fed_hash bytea
) LANGUAGE plpgsql AS $$
DECLARE
    known feed_entity%ROWTYPE;
BEGIN
    -- Two writers of one entity must not both see the old state.
    PERFORM 1 FROM stream_head h WHERE h.stream = p_stream FOR UPDATE;
    SELECT * INTO known FROM feed_entity e
    WHERE e.stream = p_stream AND e.kind = p_kind AND e.entity_id = p_entity_id;
    IF known.body IS NOT DISTINCT FROM p_body THEN
        RETURN;
    END IF;
    SELECT p.fed_seq, p.fed_hash INTO fed_seq, fed_hash
    FROM feed_put(p_stream, p_kind, p_entity_id, coalesce(known.version, 0) + 1, 'put', p_body) p;
END
$$;

-- ------------------------------------------------------------------------------------------ rights

-- Who holds a ticket that has moved; one that never moved has no row. The grant is what its office was told.
CREATE TABLE ticket_token (
    ticket_id uuid PRIMARY KEY,
    tenure integer NOT NULL CHECK (tenure >= 1),
    office text NOT NULL,
    accepted boolean NOT NULL,
    service_date date NOT NULL,
    grant_body bytea,
    held_as integer CHECK (held_as >= 1) -- the number under which its office gives it up, where a slip won against a later one
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

-- What people did at central that no machine may do by itself, and what they attested. Only ever added to.
CREATE TABLE audit (
    audit_id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    attested text NOT NULL DEFAULT '',
    detail bytea NOT NULL, -- ids and codes as JSON
    office text -- that it was about or done at; none: the city's, or written by a build that did not say
);

CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_subject ON audit (subject, at);

-- The versions of its configuration that an office works with, by kind of feed row, as it said last.
CREATE TABLE office_configuration (
    office text PRIMARY KEY,
    versions bytea NOT NULL, -- JSON
    applied_at timestamptz NOT NULL,
    states bytea NOT NULL DEFAULT '{}' -- JSON
);

-- The days whose end an office has reported: what it told up to then is all here. One row per office and day, kept.
CREATE TABLE closed_day (
    office text NOT NULL,
    service_date date NOT NULL,
    PRIMARY KEY (office, service_date)
);

-- Policies that somebody set for an office, each in force from its day on. What a city file says is the office's first one.
CREATE TABLE office_policy (
    office_id text NOT NULL REFERENCES office ON DELETE CASCADE,
    effective_from date NOT NULL,
    version int NOT NULL CHECK (version >= 1),
    policy jsonb NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    PRIMARY KEY (office_id, effective_from)
);

-- Who is signed in at central. No reference to staff: loading a city file replaces those rows, and a request reads both anyway.
CREATE TABLE staff_session (
    token_hash bytea PRIMARY KEY, -- SHA-256 of the cookie
    office_id text NOT NULL,
    staff_id text NOT NULL,
    opened_with bytea NOT NULL, -- hash over the password's verifier and the second factor's secret at that time
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL, -- when its person did something, to the minute
    expires_at timestamptz NOT NULL,
    awaits_code boolean NOT NULL -- the password was right, a one-time code is still to come: nobody is signed in yet
);

CREATE INDEX staff_session_by_end ON staff_session (expires_at);

-- What past days say of their queue, for managers: where staff changed the order by hand, and how announced waits ended. Made
-- from the raw log, stretch by stretch (a day that went on in another life of the node has several), and made anew when a
-- stretch has grown or the rules that count have changed. Days older than the reports reach back are deleted here.
CREATE TABLE day_report (
    office text NOT NULL,
    epoch integer NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL, -- of the facts that were counted
    service_date date NOT NULL,
    rules integer NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (office, epoch, first_seq)
);

CREATE INDEX day_report_by_day ON day_report (service_date);

CREATE TABLE day_override (
    office text NOT NULL,
    service_date date NOT NULL,
    epoch integer NOT NULL,
    first_seq bigint NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    is_undone boolean NOT NULL,
    body bytea NOT NULL, -- JSON: sync.domain.overrides.Override
    PRIMARY KEY (office, service_date, epoch, seq)
);

CREATE INDEX day_override_by_day ON day_override (service_date);

CREATE TABLE day_held (
    office text NOT NULL,
    service_date date NOT NULL,
    epoch integer NOT NULL,
    first_seq bigint NOT NULL,
    service text NOT NULL,
    announced integer NOT NULL,
    before integer NOT NULL,
    inside integer NOT NULL,
    after integer NOT NULL,
    far_after integer NOT NULL,
    PRIMARY KEY (office, service_date, epoch, first_seq, service)
);

CREATE INDEX day_held_by_day ON day_held (service_date);

-- --------------------------------------------------------------------------------------- oversight

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
