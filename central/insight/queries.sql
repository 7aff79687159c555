-- name: heads
-- The last row of each stream that offices follow.
SELECT stream, head FROM stream_head;

-- name: wait_model
-- What the past weeks say about waiting at an office, as its stream has it.
SELECT body FROM feed_entity WHERE stream = $1 AND kind = $2 AND entity_id = 'present';

-- name: expected_appointments
-- Of a service day at an office, without anybody's data.
SELECT appointment_id AS id, service_id, slot_start_at, duration_min
FROM appointment
WHERE office_id = $1 AND service_date = $2 AND status = 'booked';
