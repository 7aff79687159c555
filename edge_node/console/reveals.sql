-- name: insert_reveal
INSERT INTO reveal (at, staff_id, console, ticket_id, appointment_id)
VALUES (:at, :staff_id, :console, :ticket_id, :appointment_id);

-- name: reveals
SELECT at, staff_id, console, ticket_id, appointment_id FROM reveal WHERE at >= :since ORDER BY id;

-- name: forget_reveals
DELETE FROM reveal WHERE at < :before;
