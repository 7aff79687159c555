-- name: clear
DELETE FROM device;

-- name: insert
INSERT INTO device (id, kind, zone, printer_profile) VALUES (?, ?, ?, ?);
