-- name: note
INSERT INTO audit (audit_id, at, actor, act, subject, attested, detail) VALUES ($1, $2, $3, $4, $5, $6, $7);
