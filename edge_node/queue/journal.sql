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

-- name: insert_print_job
INSERT INTO print_job (job_id, device, ticket_id, message, at) VALUES (?, ?, ?, ?, ?);

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

-- name: forget_follow_codes
-- whole table: now and then, the codes of a few days
DELETE FROM follow_code WHERE service_date < :before;

-- name: forget_print_jobs
DELETE FROM print_job WHERE at < :before;
