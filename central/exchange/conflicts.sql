-- name: listed
-- Open ones, and those resolved since $1.
SELECT key, kind, office, subject_id, suggestion, detail, noted_at, resolved_at, resolved_by, resolution
FROM conflict WHERE resolved_at IS NULL OR resolved_at > $1
ORDER BY resolved_at NULLS FIRST, noted_at, key;

-- name: resolve
UPDATE conflict SET resolved_at = $2, resolved_by = $3, resolution = $4 WHERE key = $1 AND resolved_at IS NULL
RETURNING office;

-- name: open_by_kind
SELECT kind, count(*) AS conflicts FROM conflict WHERE resolved_at IS NULL GROUP BY kind;
