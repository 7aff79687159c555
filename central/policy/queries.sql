-- name: set
INSERT INTO office_policy (office_id, effective_from, version, policy, set_at, set_by)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (office_id, effective_from) DO UPDATE SET
    version = excluded.version, policy = excluded.policy, set_at = excluded.set_at, set_by = excluded.set_by;

-- name: of_office
SELECT effective_from, version, policy, set_at, set_by FROM office_policy WHERE office_id = $1 ORDER BY effective_from;
