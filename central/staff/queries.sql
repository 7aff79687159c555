-- name: staff_member
SELECT staff.office_id, staff.id AS staff_id, display_name, roles, verifier, valid_until, factor.secret AS factor_secret,
       coalesce(factor.recovery, '{}') AS recovery, coalesce(factor.last_step, -1) AS last_step
FROM staff LEFT JOIN second_factor factor ON factor.office_id = staff.office_id AND factor.staff_id = staff.id
WHERE staff.office_id = $1 AND staff.id = $2;

-- name: staff_named
-- All who have an id, at whatever office, valid or not.
SELECT office_id FROM staff WHERE id = $1 ORDER BY office_id LIMIT 2;

-- name: session
SELECT office_id, staff_id, opened_with, created_at, seen_at, expires_at, awaits_code
FROM staff_session WHERE token_hash = $1;

-- name: open_session
INSERT INTO staff_session (token_hash, office_id, staff_id, opened_with, created_at, seen_at, expires_at, awaits_code)
VALUES ($1, $2, $3, $4, $5, $5, $6, $7);

-- name: seen
UPDATE staff_session SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $2;

-- name: close_session
DELETE FROM staff_session WHERE token_hash = $1;

-- name: use_step
-- One of two who bring the same code at once gets the row.
UPDATE second_factor SET last_step = $3 WHERE office_id = $1 AND staff_id = $2 AND last_step < $3 RETURNING staff_id;

-- name: use_recovery_code
UPDATE second_factor SET recovery_used = array_append(recovery_used, $3)
WHERE office_id = $1 AND staff_id = $2 AND $3 = ANY (recovery) AND NOT $3 = ANY (recovery_used) RETURNING staff_id;

-- name: names
-- What people are called, for pages that say who did something.
SELECT staff.office_id, staff.id AS staff_id, display_name
FROM unnest($1::text[], $2::text[]) AS wanted (office_id, id)
JOIN staff ON staff.office_id = wanted.office_id AND staff.id = wanted.id;
