-- name: note
INSERT INTO audit (audit_id, at, actor, act, subject, attested, detail, office) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: note_once
INSERT INTO audit (audit_id, at, actor, act, subject, attested, detail, office) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (audit_id) DO NOTHING;
