-- name: drop_call
-- What builds before announcements had names remembered of one day.
DROP TABLE IF EXISTS call

-- name: create_announcement
-- What was done about an announcement; a row is written before its sound leaves and before its ack is first sent.
CREATE TABLE IF NOT EXISTS announcement (
  ticket_id text NOT NULL,
  announcement text NOT NULL,
  called_at text NOT NULL,
  recalls integer NOT NULL,
  sounded integer NOT NULL DEFAULT 0 CHECK (sounded IN (0, 1)),
  proven integer NOT NULL DEFAULT 0 CHECK (proven IN (0, 1)),
  PRIMARY KEY (ticket_id, announcement, recalls)
) STRICT, WITHOUT ROWID

-- name: create_ack
-- Acks that the edge has not answered yet, as the bytes that are sent.
CREATE TABLE IF NOT EXISTS ack (
  ack_id text PRIMARY KEY,
  body blob NOT NULL
) STRICT

-- name: create_kept
-- The last of what the edge retains for us (config, epoch), for a start without it.
CREATE TABLE IF NOT EXISTS kept (
  name text PRIMARY KEY,
  body blob NOT NULL
) STRICT

-- name: mark_sounded
INSERT INTO announcement (ticket_id, announcement, called_at, recalls, sounded)
VALUES (:ticket_id, :announcement, :called_at, :recalls, 1)
ON CONFLICT DO UPDATE SET sounded = 1

-- name: mark_proven
INSERT INTO announcement (ticket_id, announcement, called_at, recalls, proven)
VALUES (:ticket_id, :announcement, :called_at, :recalls, 1)
ON CONFLICT DO UPDATE SET proven = 1

-- name: calls
-- By the numbers that the office gave them (epoch.seq): its clock may be set ahead and back. An older node gives none; its calls
-- come first, by their hour.
SELECT ticket_id, announcement, called_at, recalls, sounded, proven
  FROM announcement
 ORDER BY CAST(announcement AS integer), CAST(substr(announcement, instr(announcement, '.') + 1) AS integer),
          called_at, ticket_id

-- name: forget_calls
DELETE FROM announcement
 WHERE (ticket_id, announcement, recalls) NOT IN (
   SELECT ticket_id, announcement, recalls
     FROM announcement
    ORDER BY CAST(announcement AS integer) DESC, CAST(substr(announcement, instr(announcement, '.') + 1) AS integer) DESC,
             called_at DESC, ticket_id DESC
    LIMIT :most)

-- name: add_ack
INSERT INTO ack (ack_id, body) VALUES (:ack_id, :body)

-- name: drop_ack
DELETE FROM ack WHERE ack_id = :ack_id

-- name: trim_acks
-- Ids are UUIDv7 of one process after the other: their order is that of their making.
DELETE FROM ack WHERE ack_id NOT IN (SELECT ack_id FROM ack ORDER BY ack_id DESC LIMIT :most)

-- name: acks
SELECT ack_id, body FROM ack ORDER BY ack_id

-- name: keep
INSERT INTO kept (name, body) VALUES (:name, :body) ON CONFLICT DO UPDATE SET body = excluded.body

-- name: kept
SELECT body FROM kept WHERE name = :name
