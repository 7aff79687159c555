-- name: appointment_attended
-- Presence wins over whatever central believed; an appointment of another office is not this office's to change.
UPDATE appointment SET status = 'attended'
WHERE appointment_id = $1 AND office_id = $2 AND status <> 'attended';
