-- name: opened_before
-- The first fact of the last day that is older.
SELECT max(seq) FROM fact WHERE type = 'day.opened' AND epoch = :epoch AND occurred_at < :before;

-- name: acked
SELECT seq FROM uplink_ack WHERE epoch = :epoch;

-- name: leases
SELECT entity_id FROM entity WHERE kind = 'lease' UNION SELECT entity_id FROM entity_aside WHERE kind = 'lease';

-- name: first_seq
SELECT seq FROM fact WHERE epoch = :epoch ORDER BY seq LIMIT 1;

-- name: prune
DELETE FROM fact WHERE epoch = :epoch AND seq >= :first AND seq < :before;
