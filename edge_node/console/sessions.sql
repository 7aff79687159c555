-- name: sessions
SELECT token_hash, staff_id, console, expires_at, verifier_hash FROM staff_session;

-- name: insert_session
INSERT INTO staff_session (token_hash, staff_id, console, created_at, expires_at, verifier_hash)
VALUES (:token_hash, :staff_id, :console, :created_at, :expires_at, :verifier_hash);

-- name: delete_session
DELETE FROM staff_session WHERE token_hash = ?;

-- name: delete_expired
DELETE FROM staff_session WHERE expires_at < :now;
