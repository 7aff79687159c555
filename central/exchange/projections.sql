-- name: appointment_known
-- $1 appointment, $2 stream of the office where its person is.
SELECT version, status, office_id, slot_start_at, attended_office, locator, service_id, duration_min, fed_version,
       EXISTS (
           SELECT FROM feed_entity WHERE stream = $2 AND kind = 'appointment' AND entity_id = appointment.appointment_id::text
       ) AS was_told
FROM appointment WHERE appointment_id = $1
FOR UPDATE;

-- name: appointment_attended
-- $1 appointment, $2 office where its person is. Presence wins over whatever central believed.
UPDATE appointment SET status = 'attended', attended_office = coalesce(attended_office, $2) WHERE appointment_id = $1;

-- name: day_closed
INSERT INTO closed_day (office, service_date) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: configuration_applied
INSERT INTO office_configuration (office, versions, applied_at, states) VALUES ($1, $2, $3, $4)
ON CONFLICT (office) DO UPDATE
SET versions = excluded.versions, applied_at = excluded.applied_at, states = excluded.states;

-- name: appointment_newer
UPDATE appointment SET version = version + 1 WHERE appointment_id = $1;
