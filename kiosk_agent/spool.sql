-- name: create_command
-- Requests to the edge, kept so that a reply finds its question after a restart and a repeated one changes nothing.
CREATE TABLE IF NOT EXISTS command (
  request_id text PRIMARY KEY,
  body blob NOT NULL,
  asked_at text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'given_up', 'answered'))
) STRICT

-- name: create_print_job
-- Slips to print. 'started' is written before the first byte leaves: such a job may be on paper already.
CREATE TABLE IF NOT EXISTS print_job (
  job_id text PRIMARY KEY,
  body blob NOT NULL,
  added_at text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'started', 'done')),
  ack_id text,
  ack blob
) STRICT

-- name: create_ack
-- Acks that the edge has not answered yet, as the bytes that are sent.
CREATE TABLE IF NOT EXISTS ack (
  ack_id text PRIMARY KEY,
  body blob NOT NULL
) STRICT

-- name: create_kept
-- The last config and epoch of the office, for a start without its edge.
CREATE TABLE IF NOT EXISTS kept (
  name text PRIMARY KEY,
  body blob NOT NULL
) STRICT

-- name: create_taken
-- Tickets that this kiosk gave by itself. No label is given twice on a day, whatever else goes wrong.
CREATE TABLE IF NOT EXISTS taken (
  place integer PRIMARY KEY,
  request_id text NOT NULL UNIQUE,
  ticket_id text NOT NULL UNIQUE,
  body blob NOT NULL,
  service_date text NOT NULL,
  series text NOT NULL,
  number integer NOT NULL,
  taken_at text NOT NULL,
  boot_id text NOT NULL,
  mono_ns integer NOT NULL,
  state text NOT NULL DEFAULT 'untold' CHECK (state IN ('untold', 'told', 'refused')),
  UNIQUE (service_date, series, number)
) STRICT

-- name: create_seen
-- The highest number of each series that left this kiosk on a day, by whomever it was given.
CREATE TABLE IF NOT EXISTS seen (
  service_date text NOT NULL,
  series text NOT NULL,
  number integer NOT NULL,
  PRIMARY KEY (service_date, series)
) STRICT

-- name: add_taken
INSERT INTO taken (request_id, ticket_id, body, service_date, series, number, taken_at, boot_id, mono_ns)
VALUES (:request_id, :ticket_id, :body, :service_date, :series, :number, :taken_at, :boot_id, :mono_ns)

-- name: untold
SELECT body, taken_at, boot_id, mono_ns FROM taken WHERE state = 'untold' ORDER BY place

-- name: settle_taken
UPDATE taken SET state = :state WHERE request_id = :request_id AND state = 'untold'

-- name: refused
SELECT series || number FROM taken WHERE state = 'refused' AND taken_at >= :since ORDER BY place

-- name: add_seen
INSERT INTO seen (service_date, series, number) VALUES (:service_date, :series, :number)
ON CONFLICT DO UPDATE SET number = max(number, excluded.number)

-- name: seen
SELECT series, number FROM seen WHERE service_date = :service_date ORDER BY series

-- name: forget_taken
DELETE FROM taken WHERE taken_at < :before

-- name: forget_seen
DELETE FROM seen WHERE service_date < :before_date

-- name: add_command
INSERT INTO command (request_id, body, asked_at) VALUES (:request_id, :body, :asked_at)

-- name: command
SELECT body, state FROM command WHERE request_id = :request_id

-- name: settle_command
-- Patience that ends just behind the answer must not take it back: the same reply again would count as a new one.
UPDATE command SET state = :state WHERE request_id = :request_id AND state <> 'answered'

-- name: open_commands
SELECT body, asked_at FROM command WHERE state = 'open' ORDER BY asked_at

-- name: add_job
INSERT INTO print_job (job_id, body, added_at) VALUES (:job_id, :body, :added_at) ON CONFLICT DO NOTHING

-- name: job
SELECT state, ack_id, ack FROM print_job WHERE job_id = :job_id

-- name: unfinished_jobs
SELECT body, added_at, state FROM print_job WHERE state <> 'done' ORDER BY added_at, job_id

-- name: jobs_since
SELECT body, added_at FROM print_job WHERE added_at >= :since ORDER BY added_at, job_id LIMIT 2000

-- name: start_job
UPDATE print_job SET state = 'started' WHERE job_id = :job_id

-- name: finish_job
UPDATE print_job SET state = 'done', ack_id = :ack_id, ack = :ack WHERE job_id = :job_id

-- name: add_ack
INSERT INTO ack (ack_id, body) VALUES (:ack_id, :body) ON CONFLICT DO NOTHING

-- name: drop_ack
DELETE FROM ack WHERE ack_id = :ack_id

-- name: acks
-- Ids are UUIDv7 of one process after the other: their order is that of their making. What is to be said about a ticket that
-- the edge has not been told of waits: it would be about nothing.
SELECT ack_id, body FROM ack
WHERE json_extract(CAST(body AS text), '$.ticket_id') NOT IN (SELECT ticket_id FROM taken WHERE state = 'untold')
ORDER BY ack_id

-- name: keep
INSERT INTO kept (name, body) VALUES (:name, :body) ON CONFLICT DO UPDATE SET body = excluded.body

-- name: kept
SELECT body FROM kept WHERE name = :name

-- name: forget_commands
DELETE FROM command WHERE state <> 'open' AND asked_at < :before

-- name: forget_jobs
DELETE FROM print_job WHERE state = 'done' AND added_at < :before
