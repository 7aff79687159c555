-- name: feed_put
SELECT fed_seq, fed_hash FROM feed_put($1, $2, $3, $4, $5, $6);

-- name: feed_put_changed
SELECT fed_seq, fed_hash FROM feed_put_changed($1, $2, $3, $4);

-- name: stream_end
SELECT
    h.head, h.hash,
    coalesce((SELECT f.seq FROM feed f WHERE f.stream = h.stream ORDER BY f.seq LIMIT 1), h.head + 1) AS oldest
FROM stream_head h
WHERE h.stream = $1;

-- name: heads
SELECT stream, head, hash FROM stream_head WHERE stream = ANY ($1::text[]);

-- name: feed_hash
SELECT row_hash FROM feed WHERE stream = $1 AND seq = $2;

-- name: rows_after
SELECT seq, kind, entity_id, version, op, body, row_hash
FROM feed
WHERE stream = $1 AND seq > $2
ORDER BY seq
LIMIT $3;

-- name: entity_counts
SELECT kind, count(*) AS entities FROM feed_entity WHERE stream = ANY ($1::text[]) GROUP BY kind;

-- name: entities
SELECT stream, kind, entity_id, version, body
FROM feed_entity
WHERE stream = ANY ($1::text[])
ORDER BY stream, kind, entity_id;

-- name: last_floor
SELECT body FROM feed_entity
WHERE stream = $1 AND kind = 'number_floor' AND entity_id <= $2
ORDER BY entity_id DESC LIMIT 1;

-- name: gen
SELECT gen::text FROM central_life;
