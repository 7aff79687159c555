-- name: coming
-- The latest booked of what is still to come, or began in the last hour; who has arrived may show the code again.
SELECT appointment_id, version, locator, office_id, service_id, slot_start_at, duration_min
FROM appointment
WHERE status IN ('booked', 'attended') AND slot_start_at > $1::timestamptz - interval '1 hour'
ORDER BY booked_at DESC
LIMIT $2;
