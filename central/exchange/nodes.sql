-- name: node_key
-- The key of a node that speaks for this office in this epoch; any other pair finds nothing.
SELECT public_key, revoked_at FROM node WHERE id = $1 AND office = $2 AND epoch = $3;

-- name: node
SELECT id, office, epoch, public_key, revoked_at FROM node WHERE id = $1;

-- name: register_node
INSERT INTO node (id, office, epoch, public_key, activation) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING;

-- name: revoke_node
UPDATE node SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING office, epoch;

-- name: told_key
-- The key that the offices have of an office's node, if it is this life's.
SELECT EXISTS (
    SELECT FROM feed_entity WHERE stream = 'global' AND kind = 'node_key' AND entity_id = $1 AND version = $2
);

-- name: adopt_epoch
-- A newer life of the office's node begins an empty log; an equal or older one changes nothing.
INSERT INTO office_authority AS a (office, epoch) VALUES ($1, $2)
ON CONFLICT (office) DO UPDATE
SET epoch = excluded.epoch, last_seq = excluded.last_seq, last_hash = excluded.last_hash
WHERE a.epoch < excluded.epoch;

-- name: configurations
-- $1 kinds that are configuration. What was published to an office, and what it works with. The state is reckoned as the edge
-- does it (edge_node.queue.configuration.states).
SELECT o.id AS office, published.kind, published.version, published.state, c.versions AS applied, c.states
FROM office o
CROSS JOIN LATERAL (
    SELECT
        e.kind, max(e.version) AS version,
        left(encode(sha256(convert_to(string_agg(
            concat_ws(' ', e.stream, e.entity_id, e.version), E'\n' ORDER BY e.stream, e.entity_id
        ), 'UTF8')), 'hex'), 16) AS state
    FROM feed_entity e
    WHERE e.stream = ANY (ARRAY['global', 'office:' || o.id]) AND e.kind = ANY ($1::text[])
    GROUP BY e.kind
) AS published
JOIN office_configuration c ON c.office = o.id
ORDER BY o.id, published.kind;

-- name: unannounced
-- The present nodes whose keys the offices have not been told of; one that was revoked is told of no more.
SELECT n.office, n.epoch, n.public_key
FROM office_authority a JOIN node n ON n.office = a.office AND n.epoch = a.epoch
LEFT JOIN feed_entity e ON e.stream = 'global' AND e.kind = 'node_key' AND e.entity_id = n.office
WHERE n.revoked_at IS NULL AND (e.version IS NULL OR e.version < n.epoch)
ORDER BY n.office;

-- name: clock_ahead
SELECT coalesce(clock_offset_ms, 0) FROM office_link WHERE office = $1;

-- name: activate_node
INSERT INTO node (id, office, epoch, public_key, activation) VALUES ($1, $2, $3, $4, $5);

-- name: hello
INSERT INTO office_link AS l (
    office, last_contact_at, hello_at, node_id, incarnation, clock_offset_ms, disk_free_bytes, sqlite_version,
    edge_schema, reported_seq, rolled_back
)
VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, false))
ON CONFLICT (office) DO UPDATE SET
    last_contact_at = greatest(l.last_contact_at, excluded.last_contact_at),
    hello_at = excluded.hello_at,
    node_id = excluded.node_id,
    incarnation = excluded.incarnation,
    clock_offset_ms = excluded.clock_offset_ms,
    disk_free_bytes = excluded.disk_free_bytes,
    sqlite_version = excluded.sqlite_version,
    edge_schema = excluded.edge_schema,
    reported_seq = excluded.reported_seq,
    rolled_back = coalesce($10, l.rolled_back);

-- name: heard_from
INSERT INTO office_link AS l (office, last_contact_at)
SELECT o.office, $2 FROM unnest($1::text[]) AS o (office) ORDER BY o.office
ON CONFLICT (office) DO UPDATE SET last_contact_at = greatest(l.last_contact_at, excluded.last_contact_at);

-- name: links
SELECT
    o.id AS office, l.last_contact_at, l.hello_at, l.clock_offset_ms, l.reported_seq,
    a.epoch, coalesce(a.last_seq, 0) AS acked_seq,
    (SELECT count(*) FROM fact_parked p WHERE p.office = o.id AND p.resolved_at IS NULL) AS parked,
    (SELECT o.id = ANY (c.awaited) FROM central_life c) AS awaited,
    l.disk_free_bytes,
    coalesce(l.rolled_back, false) AS rolled_back,
    (SELECT count(*) FROM conflict k WHERE k.resolved_at IS NULL AND k.office = o.id) AS conflicts
FROM office o
LEFT JOIN office_link l ON l.office = o.id
LEFT JOIN office_authority a ON a.office = o.id
ORDER BY o.id;
