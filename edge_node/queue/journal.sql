-- name: facts_beyond_the_day
SELECT seq, office, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body, hash
FROM fact
WHERE epoch = :epoch AND type IN ('lease.sold', 'lease.returned', 'node.break_glass')
ORDER BY seq;

-- name: insert_fact
INSERT INTO fact
    (epoch, seq, office, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: last_day_opened
-- Where replay begins.
SELECT max(seq) FROM fact WHERE type = 'day.opened' AND epoch = :epoch;

-- name: had_a_day
-- Whether this life of the node had a service day before its last one.
SELECT count(*) > 1 FROM (SELECT 1 FROM fact WHERE type = 'day.opened' AND epoch = :epoch LIMIT 2);

-- name: hash_of
SELECT hash FROM fact WHERE epoch = :epoch AND seq = :seq;

-- name: facts_from
SELECT seq, office, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body, hash
FROM fact WHERE epoch = :epoch AND seq >= :seq ORDER BY seq;

-- name: find_node
SELECT office, node, epoch, csrf_secret FROM node;

-- name: insert_node
INSERT INTO node (id, office, node, epoch, csrf_secret) VALUES (1, :office, :node, :epoch, :csrf_secret);

-- name: insert_request
INSERT INTO request (request_id, reply, at, asked) VALUES (?, ?, ?, ?);

-- name: find_reply
SELECT reply, asked FROM request WHERE request_id = :request_id;

-- name: remembered_requests
-- whole table: at boot, two days of requests
SELECT request_id, asked FROM request;

-- name: insert_follow_code
-- A paper that a kiosk printed by itself takes the place of one that nobody saw.
INSERT OR REPLACE INTO follow_code (ticket_id, code, service_date) VALUES (?, ?, ?);

-- name: find_follow_code
SELECT code FROM follow_code WHERE ticket_id = :ticket_id;

-- name: insert_person
INSERT INTO person (appointment_id, service_date, display_name, needs, language) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (appointment_id) DO UPDATE
SET service_date = excluded.service_date, display_name = excluded.display_name,
    needs = excluded.needs, language = excluded.language;

-- name: people
-- whole table: at boot, the people of a few days
SELECT appointment_id, service_date, display_name, needs, language FROM person;

-- name: insert_remark
INSERT INTO remark (ticket_id, service_date, note, noted_by, needs) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (ticket_id) DO UPDATE
SET service_date = excluded.service_date, note = excluded.note, noted_by = excluded.noted_by, needs = excluded.needs;

-- name: remarks
-- whole table: at boot, the remarks of a few days
SELECT ticket_id, service_date, note, noted_by, needs FROM remark;

-- name: insert_print_job
INSERT INTO print_job (job_id, device, ticket_id, message, at) VALUES (?, ?, ?, ?, ?);

-- name: insert_slip_given
INSERT OR IGNORE INTO slip_given (device, ticket_id, at) VALUES (?, ?, ?);

-- name: has_slip
SELECT EXISTS (SELECT 1 FROM slip_given WHERE device = :device AND ticket_id = :ticket_id);

-- name: print_jobs
SELECT job_id, device, ticket_id, message, at FROM print_job ORDER BY job_id;

-- name: delete_print_job
DELETE FROM print_job WHERE job_id = ?;

-- name: forget_requests
-- whole table: now and then, two days of requests; an index would cost every command
DELETE FROM request WHERE at < :before RETURNING request_id;

-- name: forget_people
-- whole table: now and then, the people of a few days
DELETE FROM person WHERE service_date < :before;

-- name: erase_person
DELETE FROM person WHERE appointment_id = :appointment_id;

-- name: erase_remark
DELETE FROM remark WHERE ticket_id = :ticket_id;

-- name: forget_remarks
-- whole table: now and then, the remarks of a few days
DELETE FROM remark WHERE service_date < :before;

-- name: forget_follow_codes
-- whole table: now and then, the codes of a few days
DELETE FROM follow_code WHERE service_date < :before;

-- name: forget_grants_aside
-- Grants that a restored central forgot, of days that are over.
DELETE FROM entity_aside WHERE kind = 'ticket_grant' AND json_extract(CAST(body AS TEXT), '$.service_date') < :before;

-- name: forget_print_jobs
DELETE FROM print_job WHERE at < :before;

-- name: forget_slips_given
-- whole table: now and then, the slips of two days that were printed elsewhere than asked for
DELETE FROM slip_given WHERE at < :before;
