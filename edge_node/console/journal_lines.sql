-- name: facts_pending
-- What central has not acknowledged, the newest first.
SELECT type, actor_id, occurred_at, body FROM fact
WHERE epoch = :epoch AND seq > :acked ORDER BY seq DESC LIMIT :most;

-- name: facts_of_ticket
-- A ticket's life is within a day, whose facts are some thousand.
SELECT type, actor_id, occurred_at, body FROM fact
WHERE epoch = :epoch
  AND seq >= (SELECT max(seq) FROM fact WHERE type = 'day.opened' AND epoch = :epoch)
  AND json_extract(CAST(body AS TEXT), '$.ticket_id') = :ticket_id
ORDER BY seq LIMIT :most;
