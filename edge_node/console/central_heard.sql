-- name: heard
SELECT at FROM central_heard;

-- name: put_heard
INSERT INTO central_heard (id, at) VALUES (1, :at) ON CONFLICT DO UPDATE SET at = excluded.at;
