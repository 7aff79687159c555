-- name: past
-- $1 stream, $2 kinds, $3 service date, $4 how many at most
SELECT kind, entity_id, version FROM feed_entity
WHERE stream = $1 AND kind = ANY ($2::text[]) AND (convert_from(body, 'UTF8')::jsonb ->> 'service_date')::date < $3
ORDER BY kind, entity_id
LIMIT $4;
