-- name: sessions
SELECT token_hash, staff_id, console, expires_at, verifier_hash, seen_at, locked_at FROM staff_session;

-- name: insert_session
INSERT INTO staff_session (token_hash, staff_id, console, created_at, expires_at, verifier_hash, seen_at)
VALUES (:token_hash, :staff_id, :console, :created_at, :expires_at, :verifier_hash, :created_at);

-- name: put_lock
UPDATE staff_session SET locked_at = :locked_at, seen_at = coalesce(:seen_at, seen_at) WHERE token_hash = :token_hash;

-- name: put_seen
UPDATE staff_session SET seen_at = :seen_at WHERE token_hash = :token_hash;

-- name: delete_session
DELETE FROM staff_session WHERE token_hash = ?;

-- name: delete_expired
DELETE FROM staff_session WHERE expires_at < :now;
