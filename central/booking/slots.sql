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
  AND start_at NOT IN (SELECT unnest($4::timestamptz[]));

-- name: fit_seats
-- $1 office, $2 pool, $3 service dates, $4 starts, $5 their seats, $6 now. Claimed seats come first in what a slot may keep;
-- free ones beyond are deleted, claimed ones beyond are marked. A slot that is not planned may keep none. Slot by slot, so
-- that the plan does not depend on how much the planner knows of tables that are just being filled.
WITH plan AS (
    SELECT slot.slot_id, coalesce(wanted.seats, 0) AS seats
    FROM slot LEFT JOIN unnest($4::timestamptz[], $5::int[]) AS wanted (start_at, seats) USING (start_at)
    WHERE slot.office_id = $1 AND slot.pool_id = $2 AND slot.service_date = ANY ($3::date[])
), misfit AS MATERIALIZED (
    SELECT plan.slot_id, ranked.seat_no, ranked.claimed, ranked.beyond
    FROM plan CROSS JOIN LATERAL (
        SELECT seat.seat_no, seat.over, one.claimed,
               row_number() OVER (ORDER BY one.claimed DESC, seat.seat_no) > plan.seats AS beyond
        FROM seat CROSS JOIN LATERAL (
            SELECT seat.state IN ('booked', 'leased') OR seat.state = 'held' AND seat.held_until > $6 AS claimed
        ) AS one
        WHERE seat.slot_id = plan.slot_id
    ) AS ranked
    WHERE ranked.over <> ranked.beyond OR ranked.beyond AND NOT ranked.claimed
), deleted AS (
    DELETE FROM seat USING misfit
    WHERE seat.slot_id = misfit.slot_id AND seat.seat_no = misfit.seat_no AND misfit.beyond AND NOT misfit.claimed
      AND (seat.state = 'free' OR seat.state = 'held' AND seat.held_until <= $6)
    RETURNING 1
), marked AS (
    UPDATE seat SET over = misfit.beyond FROM misfit
    WHERE seat.slot_id = misfit.slot_id AND seat.seat_no = misfit.seat_no AND (misfit.claimed OR NOT misfit.beyond)
    RETURNING 1
)
SELECT (SELECT count(*) FROM deleted) AS deleted, (SELECT count(*) FROM marked) AS marked;

-- name: add_seats
-- $1 office, $2 pool, $3 starts, $4 their seats
INSERT INTO seat (slot_id, seat_no)
SELECT slot.slot_id, there.last + n
FROM unnest($3::timestamptz[], $4::int[]) AS plan (start_at, seats)
JOIN slot ON slot.office_id = $1 AND slot.pool_id = $2 AND slot.start_at = plan.start_at
CROSS JOIN LATERAL (
    SELECT count(*) AS seats, coalesce(max(seat.seat_no), 0) AS last FROM seat WHERE seat.slot_id = slot.slot_id
) AS there
CROSS JOIN LATERAL generate_series(1, plan.seats - there.seats) AS n;

-- name: lock_office
-- One planner per office at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(1936484211, hashtext($1));

-- name: prefer_indexes
-- For this transaction only: the tables may just be being filled, and without statistics the planner would read a whole
-- table for every slot.
SELECT set_config('enable_seqscan', 'off', true);

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
