-- name: listed
-- In the order in which they are replayed.
SELECT p.office, p.epoch, p.seq, p.type, p.detail, p.parked_at FROM fact_parked p
WHERE p.resolved_at IS NULL
ORDER BY p.office, p.epoch, p.seq;

-- name: shown
-- All that can be shown of a fact without what it says: a body that does not fit its shape may hold anything.
SELECT f.office, f.epoch, f.seq, f.type, f.v, f.request_id, f.actor_id, f.device_id, f.occurred_at, f.received_at,
       octet_length(f.body) AS body_bytes, f.hash, p.detail, p.parked_at, p.resolved_at
FROM fact f JOIN fact_parked p USING (office, epoch, seq)
WHERE f.office = $1 AND f.epoch = $2 AND f.seq = $3;

-- name: still_parked
SELECT f.office, f.epoch, f.seq, f.type, f.v, f.request_id, f.actor_id, f.device_id, f.occurred_at, f.boot_id, f.mono_ns,
       f.body, f.received_at
FROM fact f JOIN fact_parked p USING (office, epoch, seq)
WHERE f.office = $1 AND f.epoch = $2 AND f.seq = $3 AND p.resolved_at IS NULL
FOR UPDATE OF p;

-- name: taken
UPDATE fact_parked SET resolved_at = $4 WHERE office = $1 AND epoch = $2 AND seq = $3;
