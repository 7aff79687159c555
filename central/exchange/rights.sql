-- Tokens of tickets, leased seats and what else moves between offices and central, inside the transaction that takes facts.

-- name: lock_ticket
-- A ticket without a token has no row to lock, and two offices may tell of it at once.
SELECT pg_advisory_xact_lock(1953066611, hashtext($1::text));

-- name: token
SELECT ticket_id, tenure, office, accepted, service_date, held_as, grant_body FROM ticket_token WHERE ticket_id = $1;

-- name: set_token
INSERT INTO ticket_token (ticket_id, tenure, office, accepted, service_date, held_as, grant_body)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (ticket_id) DO UPDATE SET
    tenure = excluded.tenure, office = excluded.office, accepted = excluded.accepted,
    service_date = excluded.service_date, held_as = excluded.held_as, grant_body = excluded.grant_body;

-- name: has_office
SELECT EXISTS (SELECT FROM office WHERE id = $1);

-- name: time_zone
SELECT time_zone FROM office WHERE id = $1;

-- name: person_of
SELECT full_name, language, needs FROM appointment WHERE appointment_id = $1;

-- name: lease
SELECT office, body, reclaimed FROM lease WHERE lease_id = $1 FOR UPDATE;

-- name: put_lease
INSERT INTO lease (lease_id, office, fence, body, reclaimed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (lease_id) DO UPDATE SET body = excluded.body, reclaimed = excluded.reclaimed;

-- name: put_lease_seats
INSERT INTO lease_seat (lease_id, slot_id, seat_no, start_at)
SELECT $1, * FROM unnest($2::uuid[], $3::integer[], $4::timestamptz[])
ON CONFLICT DO NOTHING;

-- name: note_reclaimed
UPDATE lease_seat SET outcome = 'reclaimed' WHERE lease_id = $1 AND outcome IS NULL;

-- name: note_outcome
-- $2 slots, $3 numbers, $4 outcome. A sale is final, whatever was written before.
UPDATE lease_seat SET outcome = $4::text
FROM unnest($2::uuid[], $3::integer[]) AS told (slot_id, seat_no)
WHERE lease_id = $1 AND lease_seat.slot_id = told.slot_id AND lease_seat.seat_no = told.seat_no
  AND (outcome IS NULL OR $4::text = 'sold');

-- name: slot_office
SELECT office_id FROM slot WHERE slot_id = $1;

-- name: seat
SELECT state, appointment_id, lease_id FROM seat WHERE slot_id = $1 AND seat_no = $2 FOR UPDATE;

-- name: set_seat
UPDATE seat SET state = $3, appointment_id = $4, lease_id = $5, hold_id = NULL, held_until = NULL
WHERE slot_id = $1 AND seat_no = $2;

-- name: lock_slot
-- Whoever adds seats to a slot holds its row (central/booking/slots.sql, put_slots), so that two never take one number.
SELECT slot_id FROM slot WHERE slot_id = $1 FOR NO KEY UPDATE;

-- name: add_seat_over
INSERT INTO seat (slot_id, seat_no, state, over, appointment_id)
SELECT $1, coalesce(max(seat_no), 0) + 1, 'booked', true, $2 FROM seat WHERE slot_id = $1
RETURNING seat_no;

-- name: seats_of
-- $1 office, $2 service, $3 start, $4 end, $5 appointment. Its own seats first, then free ones.
SELECT slot.start_at, slot.duration_min, one.slot_id, one.seat_no
FROM pool JOIN slot ON slot.office_id = pool.office_id AND slot.pool_id = pool.id
CROSS JOIN LATERAL (
    SELECT seat.slot_id, seat.seat_no FROM seat
    WHERE seat.slot_id = slot.slot_id
    ORDER BY (seat.appointment_id = $5::uuid) IS NOT TRUE, seat.state <> 'free' OR seat.over, seat.seat_no
    LIMIT 1
    FOR UPDATE
) AS one
WHERE pool.office_id = $1 AND $2::text = ANY (pool.services) AND slot.start_at >= $3 AND slot.start_at < $4
ORDER BY slot.start_at;

-- name: release_seats
UPDATE seat SET state = 'free', appointment_id = NULL, lease_id = NULL
FROM appointment JOIN slot ON slot.office_id = appointment.office_id AND slot.pool_id = appointment.pool_id
                          AND slot.start_at = ANY (appointment.starts)
WHERE appointment.appointment_id = $1 AND seat.slot_id = slot.slot_id AND seat.appointment_id = $1 AND seat.state = 'booked';

-- name: appointment_version
SELECT version FROM appointment WHERE appointment_id = $1 FOR UPDATE;

-- name: frame
-- Where an appointment stands that an office tells of. $1 office, $2 service, $3 slots of its seats
SELECT
    office.time_zone,
    (SELECT family FROM service WHERE service.id = $2) AS family,
    coalesce(
        (SELECT slot.pool_id FROM slot WHERE slot.slot_id = ANY ($3::uuid[]) LIMIT 1),
        (SELECT pool.id FROM pool WHERE pool.office_id = $1 AND $2::text = ANY (pool.services) ORDER BY pool.id LIMIT 1)
    ) AS pool_id,
    ARRAY(SELECT slot.start_at FROM slot WHERE slot.slot_id = ANY ($3::uuid[]) ORDER BY slot.start_at) AS starts
FROM office WHERE office.id = $1;

-- name: put_appointment
-- Data of the person that are here stay; presence is not undone, and neither is the end of a day
-- that is over. The office's stream gets its row in the same transaction.
INSERT INTO appointment AS a (
    appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at, starts,
    duration_min, language, needs, channel, fed_version, booked_at, changed_at, full_name
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $2, now(), now(), $16)
ON CONFLICT (appointment_id) DO UPDATE SET
    version = excluded.version,
    status = CASE
        WHEN excluded.status = 'booked'
             AND (a.status = 'attended' OR a.status IN ('no_show', 'unknown') AND a.slot_start_at = excluded.slot_start_at)
        THEN a.status ELSE excluded.status
    END,
    office_id = excluded.office_id, pool_id = excluded.pool_id, service_id = excluded.service_id, family = excluded.family,
    service_date = excluded.service_date, slot_start_at = excluded.slot_start_at, starts = excluded.starts,
    duration_min = excluded.duration_min, fed_version = excluded.fed_version, changed_at = excluded.changed_at;

-- name: note_conflict
INSERT INTO conflict (key, kind, office, subject_id, suggestion, detail) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (key) DO NOTHING;

-- name: awaits
SELECT $1 = ANY (awaited) FROM central_life;

-- name: is_recovering
SELECT awaited <> '{}' FROM central_life;

-- name: awaited
SELECT awaited FROM central_life FOR UPDATE;

-- name: set_awaited
UPDATE central_life SET awaited = $1;
