-- name: of_person
-- $1 what stands for the person, by kind of document
SELECT appointment_id, locator, person_hash, status, office_id, service_date FROM appointment
WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0 AND person_hash = ANY ($1::bytea[])
ORDER BY service_date
LIMIT 1000;

-- name: of_locator
SELECT appointment_id, locator, person_hash, status, office_id, service_date FROM appointment
WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0 AND locator = $1
ORDER BY service_date
LIMIT 1000;

-- name: erase
-- $1 appointment, $2 now. Links into it are worth nothing any more.
UPDATE appointment SET version = version + 1, changed_at = $2, full_name = NULL, document_end = NULL, email = NULL, phone = NULL,
    needs = '{}', person_hash = NULL, link_version = link_version + 1
WHERE appointment_id = $1 AND status <> 'booked'
RETURNING appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
          duration_min, language, needs, link_version, fed_version, full_name, document_end, email;

-- name: still_named
SELECT count(*) FROM appointment
WHERE appointment_id = ANY ($1::uuid[]) AND num_nonnulls(full_name, document_end, email, phone, person_hash) > 0;

-- name: drop_mails
-- $1 kinds, $2 appointment, $3 now: what is not sent yet is not sent any more.
UPDATE mail SET state = CASE WHEN state IN ('queued', 'sending') THEN 'dropped' ELSE state END,
    ended_at = coalesce(ended_at, $3), recipient = NULL, message = NULL
WHERE kind = ANY ($1::text[]) AND appointment_id = $2 AND num_nonnulls(recipient, message) > 0;

-- name: forms
-- $1 the last one seen, $2 at most: half-made forms, some at a time.
SELECT cookie_hash, body FROM booking_draft WHERE cookie_hash > $1 ORDER BY cookie_hash LIMIT $2;

-- name: drop_forms
DELETE FROM booking_draft WHERE cookie_hash = ANY ($1::bytea[]);

-- name: drop_tries
DELETE FROM lookup_try WHERE locator = ANY ($1::text[]);

-- name: streams_with
-- whole table: once for each appointment of an erased person; old rows that name somebody, on whatever stream
SELECT stream, max(seq) AS last_seq FROM feed
WHERE kind = 'appointment' AND entity_id = $1
   OR kind = 'ticket_grant' AND position(convert_to($1, 'UTF8') IN body) > 0
GROUP BY stream ORDER BY stream;

-- name: cut_stream
-- $1 stream, $2 the last row that goes: who has not taken it takes a snapshot.
DELETE FROM feed WHERE stream = $1 AND seq <= $2;

-- name: entities_of
-- whole table: once for each appointment of an erased person
SELECT stream, kind, entity_id, version, body FROM feed_entity
WHERE kind = 'appointment' AND entity_id = $1
   OR kind = 'ticket_grant' AND position(convert_to($1, 'UTF8') IN body) > 0
ORDER BY stream, kind;

-- name: token_of
-- $1 ticket, $2 what its office was told, without a person
UPDATE ticket_token SET grant_body = $2 WHERE ticket_id = $1::uuid AND grant_body IS NOT NULL;

-- name: put
-- $1 stream, $2 kind, $3 entity, $4 version, $5 body
SELECT fed_seq FROM feed_put($1, $2, $3, $4, 'put', $5);
