-- name: affected
-- $1 office, $2 first and $3 last service date, $4 now, $5 at most: booked appointments that have lost a seat: their slot was closed
-- or is no more, or the seat stands above the capacity. Who booked first comes first.
SELECT a.appointment_id, a.version, a.locator, a.office_id, a.pool_id, a.service_id, a.slot_start_at, a.duration_min, a.booked_at,
       a.email IS NOT NULL AS has_mail, a.phone IS NOT NULL AS has_phone
FROM appointment a
WHERE a.office_id = $1 AND a.service_date BETWEEN $2 AND $3 AND a.status = 'booked' AND a.slot_start_at > $4
  AND EXISTS (
      SELECT FROM unnest(a.starts) AS one (start_at)
      LEFT JOIN slot ON slot.office_id = a.office_id AND slot.pool_id = a.pool_id AND slot.start_at = one.start_at
      WHERE NOT slot.open
         OR EXISTS (
             SELECT FROM seat WHERE seat.slot_id = slot.slot_id AND seat.appointment_id = a.appointment_id AND seat.over
         )
         OR slot.slot_id IS NULL AND NOT EXISTS (
             SELECT FROM slot other
             WHERE other.office_id = a.office_id AND other.service_date = a.service_date AND other.open
         )
  )
ORDER BY a.booked_at, a.appointment_id
LIMIT $5;

-- name: still_affected
-- $1 appointment: whether it has lost a seat, by the same words as `affected`.
SELECT EXISTS (
SELECT FROM appointment a
WHERE a.appointment_id = $1 AND a.status = 'booked'
  AND EXISTS (
      SELECT FROM unnest(a.starts) AS one (start_at)
      LEFT JOIN slot ON slot.office_id = a.office_id AND slot.pool_id = a.pool_id AND slot.start_at = one.start_at
      WHERE NOT slot.open
         OR EXISTS (
             SELECT FROM seat WHERE seat.slot_id = slot.slot_id AND seat.appointment_id = a.appointment_id AND seat.over
         )
         OR slot.slot_id IS NULL AND NOT EXISTS (
             SELECT FROM slot other
             WHERE other.office_id = a.office_id AND other.service_date = a.service_date AND other.open
         )
  )
);

-- name: stop_items
-- $1 office, $2 service date, $3 now: what waits for its turn on a day whose closure was lifted. Asked for again, it is
-- decided anew.
UPDATE closure_item item SET state = 'failed', problem = 'lifted', ended_at = $3
FROM appointment
WHERE item.state = 'waiting' AND item.was_office_id = $1 AND appointment.appointment_id = item.appointment_id
  AND appointment.service_date = $2;

-- name: keep_hours
-- $1 office, $2 service dates that are about to be closed: the hours that the day had of its own.
INSERT INTO closed_over (office_id, service_date, open, opens, closes, note, source)
SELECT office_id, service_date, open, opens, closes, note, source
FROM dated_hours WHERE office_id = $1 AND service_date = ANY ($2::date[]) AND open
ON CONFLICT (office_id, service_date) DO UPDATE SET
    open = excluded.open, opens = excluded.opens, closes = excluded.closes, note = excluded.note, source = excluded.source;

-- name: close_days
-- $1 office, $2 service dates, $3 reason. A day that the city closed stays the city's; one that staff closed gets the new reason.
INSERT INTO dated_hours (office_id, service_date, open, note, source)
SELECT $1, day, false, $3, 'staff' FROM unnest($2::date[]) AS day
ON CONFLICT (office_id, service_date) DO UPDATE SET
    open = false, opens = NULL, closes = NULL, note = excluded.note, source = excluded.source
WHERE dated_hours.open OR dated_hours.source = 'staff'
RETURNING service_date;

-- name: lift
-- Only what staff closed: a day that the city file closes stays so.
DELETE FROM dated_hours WHERE office_id = $1 AND service_date = $2 AND NOT open AND source = 'staff' RETURNING service_date;

-- name: restore_hours
-- $1 office, $2 service date: the hours that the day had before it was closed, if any.
WITH kept AS (
    DELETE FROM closed_over WHERE office_id = $1 AND service_date = $2
    RETURNING office_id, service_date, open, opens, closes, note, source
)
INSERT INTO dated_hours (office_id, service_date, open, opens, closes, note, source)
SELECT office_id, service_date, open, opens, closes, note, source FROM kept;

-- name: closures
-- $1 office, $2 first service date, $3 at most
SELECT service_date, note, source FROM dated_hours
WHERE office_id = $1 AND service_date >= $2 AND NOT open ORDER BY service_date LIMIT $3;

-- name: begin_run
INSERT INTO closure_run (run_id, office_id, began_at, begun_by, notice_min, own_office_only)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: put_items
-- One array per column. An appointment that waits for its turn already is not taken twice.
INSERT INTO closure_item (
    run_id, place, appointment_id, request_id, act, was_office_id, was_start_at, to_office_id, to_start_at
)
SELECT $1, item.place, item.appointment_id, item.request_id, $2, item.was_office, item.was_start, item.to_office, item.to_start
FROM unnest($3::int[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::text[], $9::timestamptz[])
    AS item (place, appointment_id, request_id, was_office, was_start, to_office, to_start)
ON CONFLICT (appointment_id) WHERE state = 'waiting' DO NOTHING
RETURNING place;

-- name: told
-- $1 appointments: what was begun or done with them, by appointment; the last of each.
SELECT DISTINCT ON (item.appointment_id) item.appointment_id, item.act, item.state, item.problem, run.began_at
FROM closure_item item JOIN closure_run run USING (run_id)
WHERE item.appointment_id = ANY ($1::uuid[])
ORDER BY item.appointment_id, run.began_at DESC;

-- name: waiting
-- $1 at most: what is to be done, oldest runs first.
SELECT item.run_id, item.place, item.appointment_id, item.request_id, item.act, item.was_office_id, item.was_start_at,
       item.to_office_id, item.to_start_at, run.begun_by, run.notice_min, run.own_office_only
FROM closure_run run JOIN closure_item item USING (run_id)
WHERE run.ended_at IS NULL AND item.state = 'waiting'
ORDER BY run.began_at, item.run_id, item.place
LIMIT $1;

-- name: aim
-- $1 run, $2 place, $3 request, $4 office, $5 start: the place that it had was taken; another one under another request.
UPDATE closure_item SET request_id = $3, to_office_id = $4, to_start_at = $5
WHERE run_id = $1 AND place = $2 AND state = 'waiting'
RETURNING place;

-- name: end_item
-- $1 run, $2 place, $3 state, $4 problem, $5 now. What was done while the closure was lifted was done.
UPDATE closure_item SET state = $3, problem = $4, ended_at = $5
WHERE run_id = $1 AND place = $2 AND (state = 'waiting' OR problem = 'lifted' AND $3 = 'done')
RETURNING place;

-- name: is_queued
-- $1 mail: whether it was queued, under the request id of its item, before a crash.
SELECT EXISTS (SELECT FROM mail WHERE mail_id = $1);

-- name: end_runs
-- $1 now: runs in which nothing waits any more.
UPDATE closure_run SET ended_at = $1
WHERE ended_at IS NULL AND NOT EXISTS (
    SELECT FROM closure_item WHERE closure_item.run_id = closure_run.run_id AND closure_item.state = 'waiting'
);

-- name: run
SELECT run_id, office_id, began_at, begun_by, ended_at FROM closure_run WHERE run_id = $1;

-- name: runs
-- $1 office, $2 at most, newest first
SELECT run_id, office_id, began_at, begun_by, ended_at FROM closure_run WHERE office_id = $1 ORDER BY began_at DESC LIMIT $2;

-- name: counts
SELECT run_id, act, state, problem, count(*) AS items FROM closure_item WHERE run_id = ANY ($1::uuid[])
GROUP BY run_id, act, state, problem ORDER BY run_id, act, state, problem;

-- name: items_of_run
-- $1 run, $2 after this place, $3 only those that somebody has to look at, $4 at most
SELECT item.place, item.appointment_id, item.act, item.was_office_id, item.was_start_at, item.to_office_id, item.to_start_at,
       item.state, item.problem, appointment.locator, appointment.service_id
FROM closure_item item LEFT JOIN appointment USING (appointment_id)
WHERE item.run_id = $1 AND item.place > $2 AND (NOT $3::boolean OR item.problem <> '')
ORDER BY item.place
LIMIT $4;

-- name: try_lock
-- One process works at a time: so that places are given in order.
SELECT pg_try_advisory_lock(1936484214);

-- name: unlock
SELECT pg_advisory_unlock(1936484214);
