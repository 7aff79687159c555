-- name: journal_end
SELECT seq, hash FROM fact WHERE epoch = :epoch ORDER BY seq DESC LIMIT 1;

-- name: journal_hash
SELECT hash FROM fact WHERE epoch = :epoch AND seq = :seq;

-- name: facts_after
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body
FROM fact
WHERE epoch = :epoch AND seq > :seq
ORDER BY seq
LIMIT :limit;

-- name: acked
SELECT seq, hash FROM uplink_ack WHERE epoch = :epoch;

-- name: set_acked
INSERT INTO uplink_ack (epoch, seq, hash) VALUES (:epoch, :seq, :hash)
ON CONFLICT (epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash;

-- name: cursors
SELECT stream, gen, seq, hash FROM cursor ORDER BY stream;

-- name: set_cursor
INSERT INTO cursor (stream, gen, seq, hash) VALUES (:stream, :gen, :seq, :hash)
ON CONFLICT (stream) DO UPDATE SET gen = excluded.gen, seq = excluded.seq, hash = excluded.hash;

-- name: put_entity
INSERT INTO entity (stream, kind, entity_id, version, body) VALUES (:stream, :kind, :entity_id, :version, :body)
ON CONFLICT (stream, kind, entity_id) DO UPDATE SET version = excluded.version, body = excluded.body;

-- name: delete_entity
DELETE FROM entity WHERE stream = :stream AND kind = :kind AND entity_id = :entity_id;

-- name: clear_staging
DELETE FROM entity_staging;

-- name: stage
INSERT INTO entity_staging (stream, kind, entity_id, version, body)
VALUES (:stream, :kind, :entity_id, :version, :body)
ON CONFLICT (stream, kind, entity_id) DO UPDATE SET version = excluded.version, body = excluded.body;

-- name: staged_counts
SELECT kind, count(*) FROM entity_staging GROUP BY kind;

-- name: clear_entities
DELETE FROM entity;

-- name: take_staged
INSERT INTO entity (stream, kind, entity_id, version, body)
SELECT stream, kind, entity_id, version, body FROM entity_staging;

-- name: clear_cursors
DELETE FROM cursor;

-- name: entities
SELECT stream, kind, entity_id, version, body FROM entity ORDER BY stream, kind, entity_id;

-- name: entities_of
SELECT stream, kind, entity_id, version, body FROM entity WHERE kind = :kind ORDER BY stream, entity_id;

-- name: fenced_by
SELECT epoch FROM fence WHERE id = 1;

-- name: set_fenced_by
INSERT INTO fence (id, epoch) VALUES (1, :epoch)
ON CONFLICT (id) DO UPDATE SET epoch = max(epoch, excluded.epoch);

-- name: put_aside
INSERT INTO entity_aside (stream, kind, entity_id, version, body)
SELECT e.stream, e.kind, e.entity_id, e.version, e.body
FROM entity AS e
LEFT JOIN entity_staging AS s ON s.stream = e.stream AND s.kind = e.kind AND s.entity_id = e.entity_id
WHERE e.kind = :kind AND (s.version IS NULL OR s.version < e.version)
ON CONFLICT (stream, kind, entity_id) DO UPDATE SET version = excluded.version, body = excluded.body
WHERE excluded.version > entity_aside.version;

-- name: aside
SELECT stream, kind, entity_id, version, body FROM entity_aside ORDER BY stream, kind, entity_id;

-- name: clear_aside
DELETE FROM entity_aside WHERE kind = :kind;
