-- name: steps
SELECT staff_id, step FROM code_step;

-- name: put_step
INSERT INTO code_step (staff_id, step) VALUES (:staff_id, :step) ON CONFLICT DO UPDATE SET step = max(step, excluded.step);

-- name: used_codes
SELECT code_hash FROM recovery_code_used;

-- name: put_used_code
INSERT INTO recovery_code_used (code_hash, staff_id, at) VALUES (:code_hash, :staff_id, :at) ON CONFLICT DO NOTHING;
