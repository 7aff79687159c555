-- name: lock_authority
SELECT epoch, last_seq, last_hash FROM office_authority WHERE office = $1 FOR UPDATE;

-- name: present_epoch
SELECT epoch FROM office_authority WHERE office = $1;

-- name: log_end
SELECT seq, hash FROM fact WHERE office = $1 AND epoch = $2 ORDER BY seq DESC LIMIT 1;

-- name: advance
UPDATE office_authority SET last_seq = $2, last_hash = $3 WHERE office = $1;

-- name: fact_hash
SELECT hash FROM fact WHERE office = $1 AND epoch = $2 AND seq = $3;

-- name: append
-- One array per column: one round trip and one plan for a batch of any size.
INSERT INTO fact (
    office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body, hash
)
SELECT * FROM unnest(
    $1::text[], $2::integer[], $3::bigint[], $4::text[], $5::integer[], $6::uuid[], $7::text[], $8::text[],
    $9::timestamptz[], $10::text[], $11::bigint[], $12::bytea[], $13::bytea[]
);

-- name: park
INSERT INTO fact_parked (office, epoch, seq, type, detail) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (office, epoch, seq) DO NOTHING;

-- name: parked
SELECT count(*) FROM fact_parked WHERE resolved_at IS NULL;

-- name: day_start
-- Where the fold of an office's present day begins: the last time it opened in the present epoch.
SELECT a.epoch, (
    SELECT f.seq FROM fact f
    WHERE f.office = a.office AND f.epoch = a.epoch AND f.type = 'day.opened'
    ORDER BY f.seq DESC LIMIT 1
) AS seq
FROM office_authority a
WHERE a.office = $1;

-- name: day_start_of
SELECT seq FROM fact WHERE office = $1 AND epoch = $2 AND type = 'day.opened' ORDER BY seq DESC LIMIT 1;

-- name: facts_from
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body
FROM fact
WHERE office = $1 AND epoch = $2 AND seq >= $3
ORDER BY seq
LIMIT $4;

-- name: log_ends
SELECT office, epoch, last_seq FROM office_authority ORDER BY office;
