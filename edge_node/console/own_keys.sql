-- name: all_keys
SELECT staff_id, keys FROM staff_keys;

-- name: put_keys
INSERT INTO staff_keys (staff_id, keys) VALUES (:staff_id, :keys) ON CONFLICT DO UPDATE SET keys = excluded.keys;

-- name: drop_keys
DELETE FROM staff_keys WHERE staff_id = :staff_id;
