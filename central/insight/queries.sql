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

-- name: days_opened
-- The days of an office that opened since $2, each with the place before which it ends.
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body,
       lead(seq, 1, 9223372036854775807) OVER (PARTITION BY epoch ORDER BY seq) AS end_seq
FROM fact
WHERE office = $1 AND type = 'day.opened' AND occurred_at >= $2
ORDER BY epoch, seq;

-- name: facts_of_day
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body
FROM fact
WHERE office = $1 AND epoch = $2 AND seq >= $3 AND seq < $4
ORDER BY seq
LIMIT $5;

-- name: booked_on
SELECT service_date, count(*) AS booked
FROM appointment
WHERE service_date = ANY ($2::date[]) AND office_id = $1 AND status <> 'cancelled'
GROUP BY service_date;
