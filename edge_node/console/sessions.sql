-- name: sessions
SELECT token_hash, staff_id, console, expires_at FROM staff_session;

-- name: insert_session
INSERT INTO staff_session (token_hash, staff_id, console, created_at, expires_at)
VALUES (:token_hash, :staff_id, :console, :created_at, :expires_at);

-- name: delete_session
DELETE FROM staff_session WHERE token_hash = ?;

-- name: delete_expired
DELETE FROM staff_session WHERE expires_at < :now;
