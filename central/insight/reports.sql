-- name: log_end
SELECT seq FROM fact WHERE office = $1 AND epoch = $2 ORDER BY seq DESC LIMIT 1;

-- name: reported
-- The stretches of an office's days from $2 on that were counted by these rules.
SELECT epoch, first_seq, last_seq FROM day_report WHERE office = $1 AND service_date >= $2 AND rules = $3;

-- name: keep_report
-- Two who count the same stretch at once wait for each other here.
INSERT INTO day_report (office, epoch, first_seq, last_seq, service_date, rules, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (office, epoch, first_seq) DO UPDATE
SET last_seq = excluded.last_seq, service_date = excluded.service_date, rules = excluded.rules, made_at = excluded.made_at;

-- name: drop_overrides
DELETE FROM day_override WHERE office = $1 AND service_date = $2 AND epoch = $3 AND first_seq = $4;

-- name: keep_overrides
INSERT INTO day_override (office, service_date, epoch, first_seq, seq, kind, reason, is_undone, body)
SELECT $1, $2, $3, $4, * FROM unnest($5::bigint[], $6::text[], $7::text[], $8::boolean[], $9::bytea[]);

-- name: drop_held
DELETE FROM day_held WHERE office = $1 AND service_date = $2 AND epoch = $3 AND first_seq = $4;

-- name: keep_held
INSERT INTO day_held (office, service_date, epoch, first_seq, service, announced, before, inside, after, far_after)
SELECT $1, $2, $3, $4, *
FROM unnest($5::text[], $6::integer[], $7::integer[], $8::integer[], $9::integer[], $10::integer[]);

-- name: overrides_of_day
SELECT body FROM day_override WHERE office = $1 AND service_date = $2 ORDER BY epoch, seq LIMIT $3;

-- name: override_counts
-- What was taken back at once is no change.
SELECT service_date, kind, reason, count(*) AS changes
FROM day_override
WHERE office = $1 AND service_date BETWEEN $2 AND $3 AND NOT is_undone
GROUP BY service_date, kind, reason
ORDER BY service_date, kind, reason
LIMIT $4;

-- name: held_by_service
-- From $2 on, and of these from $3 on.
SELECT service, service_date >= $3 AS is_recent, sum(announced)::int AS count, sum(before)::int AS before,
       sum(inside)::int AS inside, sum(after)::int AS after, sum(far_after)::int AS far_after
FROM day_held
WHERE office = $1 AND service_date >= $2 AND service_date < $4
GROUP BY service, is_recent;

-- name: held_by_office
SELECT office, service_date >= $3 AS is_recent, sum(announced)::int AS count, sum(before)::int AS before,
       sum(inside)::int AS inside, sum(after)::int AS after, sum(far_after)::int AS far_after
FROM day_held
WHERE office = ANY ($1::text[]) AND service_date >= $2 AND service_date < $4
GROUP BY office, is_recent;

-- name: last_counted
SELECT max(made_at) AS at FROM day_report WHERE office = $1;
