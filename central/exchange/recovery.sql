-- name: begin_life
-- A new random gen, so that every cursor is checked anew; every office with a node has to report.
UPDATE central_life SET
    gen = gen_random_uuid(), began_at = $1, awaited = ARRAY(SELECT office FROM office_authority ORDER BY office)
RETURNING gen::text AS gen, awaited;

-- name: awaited_offices
SELECT unnest(awaited) AS office FROM central_life ORDER BY office;
