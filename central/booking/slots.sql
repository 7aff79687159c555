-- Slots and seats as the plan of an office's hours and capacity wants them. A claimed seat is never taken away: above the
-- capacity it is marked `over`, is not sold again, and somebody proposes another time to whoever has it.

-- name: put_slots
-- $1 office, $2 pool, $3 length, $4 slot ids, $5 service dates, $6 starts. New ones are made, closed ones opened again.
INSERT INTO slot (slot_id, office_id, pool_id, service_date, start_at, duration_min)
SELECT plan.slot_id, $1, $2, plan.service_date, plan.start_at, $3
FROM unnest($4::uuid[], $5::date[], $6::timestamptz[]) AS plan (slot_id, service_date, start_at)
ON CONFLICT (office_id, pool_id, start_at) DO UPDATE SET open = true, duration_min = excluded.duration_min
WHERE NOT slot.open OR slot.duration_min <> excluded.duration_min;

-- name: close_slots
-- $1 office, $2 pool, $3 service dates, $4 starts that stay
UPDATE slot SET open = false
WHERE office_id = $1 AND pool_id = $2 AND service_date = ANY ($3::date[]) AND open
  AND NOT EXISTS (SELECT FROM unnest($4::timestamptz[]) AS plan (start_at) WHERE plan.start_at = slot.start_at);

-- name: fit_seats
-- $1 office, $2 pool, $3 service dates, $4 starts, $5 their seats, $6 now. Claimed seats come first in what a slot may keep;
-- free ones beyond are deleted, claimed ones beyond are marked. A slot that is not planned may keep none.
WITH plan AS (
    SELECT slot.slot_id, coalesce(wanted.seats, 0) AS seats
    FROM slot LEFT JOIN unnest($4::timestamptz[], $5::int[]) AS wanted (start_at, seats) USING (start_at)
    WHERE slot.office_id = $1 AND slot.pool_id = $2 AND slot.service_date = ANY ($3::date[])
), ranked AS (
    SELECT seat.slot_id, seat.seat_no, one.claimed,
           row_number() OVER (PARTITION BY seat.slot_id ORDER BY one.claimed DESC, seat.seat_no) > plan.seats AS beyond
    FROM plan JOIN seat USING (slot_id)
    CROSS JOIN LATERAL (
        SELECT seat.state IN ('booked', 'leased') OR seat.state = 'held' AND seat.held_until > $6 AS claimed
    ) AS one
), deleted AS (
    DELETE FROM seat USING ranked
    WHERE seat.slot_id = ranked.slot_id AND seat.seat_no = ranked.seat_no AND ranked.beyond AND NOT ranked.claimed
      AND (seat.state = 'free' OR seat.state = 'held' AND seat.held_until <= $6)
    RETURNING 1
), marked AS (
    UPDATE seat SET over = ranked.beyond FROM ranked
    WHERE seat.slot_id = ranked.slot_id AND seat.seat_no = ranked.seat_no AND seat.over <> ranked.beyond
      AND NOT (ranked.beyond AND NOT ranked.claimed)
    RETURNING 1
)
SELECT (SELECT count(*) FROM deleted) AS deleted, (SELECT count(*) FROM marked) AS marked;

-- name: add_seats
-- $1 office, $2 pool, $3 starts, $4 their seats
WITH short AS (
    SELECT slot.slot_id, plan.seats - count(seat.seat_no) AS missing, coalesce(max(seat.seat_no), 0) AS last
    FROM unnest($3::timestamptz[], $4::int[]) AS plan (start_at, seats)
    JOIN slot ON slot.office_id = $1 AND slot.pool_id = $2 AND slot.start_at = plan.start_at
    LEFT JOIN seat USING (slot_id)
    GROUP BY slot.slot_id, plan.seats
    HAVING plan.seats > count(seat.seat_no)
)
INSERT INTO seat (slot_id, seat_no)
SELECT slot_id, last + n FROM short CROSS JOIN LATERAL generate_series(1, missing) AS n;

-- name: lock_office
-- One planner per office at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(1936484211, hashtext($1));

-- name: horizon
SELECT slots_until FROM slot_horizon WHERE office_id = $1;

-- name: note_horizon
INSERT INTO slot_horizon (office_id, slots_until) VALUES ($1, $2)
ON CONFLICT (office_id) DO UPDATE SET slots_until = greatest(slot_horizon.slots_until, excluded.slots_until);

-- name: tell
SELECT pg_notify('slots', $1 || ' ' || day) FROM unnest($2::date[]) AS day;

-- name: over
-- Claimed seats above the capacity, for whoever proposes other times.
SELECT slot.office_id, slot.start_at, seat.appointment_id FROM seat JOIN slot USING (slot_id)
WHERE seat.over AND seat.state = 'booked' AND slot.office_id = $1
ORDER BY slot.start_at;
