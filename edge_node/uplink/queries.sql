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
