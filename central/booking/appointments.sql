-- name: by_id
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment WHERE appointment_id = $1;

-- name: sold
-- $1 appointment, $2 stream of the office that says it sold it.
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email, channel
FROM appointment
WHERE appointment_id = $1 AND EXISTS (
    SELECT FROM feed_entity WHERE stream = $2 AND kind = 'appointment' AND entity_id = appointment.appointment_id::text
)
FOR UPDATE;

-- name: name_person
-- $1 appointment, $2 version, $3 now, $4 name, $5 document's end, $6 e-mail, $7 phone, $8 person or NULL, $9 language, $10 needs
UPDATE appointment SET
    version = $2::int, changed_at = $3, full_name = $4, document_end = $5, email = $6, phone = $7, person_hash = $8, language = $9,
    needs = $10, fed_version = CASE WHEN fed_version IS NOT NULL THEN $2::int END
WHERE appointment_id = $1;

-- name: queue_mail
-- $1 mail, $2 kind, $3 appointment, $4 version, $5 recipient, $6 letter, $7 now. No row: a mail of this kind is there already.
INSERT INTO mail (mail_id, kind, appointment_id, version, recipient, message, queued_at, next_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT DO NOTHING
RETURNING mail_id;

-- name: by_locator
-- $1 locator, $2 end of the document. Past ones have given their locator back.
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment WHERE locator = $1 AND status = 'booked' AND document_end = $2;

-- name: try_lookup
-- $1 locator, $2 since, $3 now, $4 how many tries. The oldest try in the window if this one is too many, else NULL. Counted
-- and noted under the row's lock, so tries at once are counted one after the other; a refused one is not noted.
INSERT INTO lookup_try AS known (locator, tried_at) VALUES ($1, ARRAY[$3::timestamptz])
ON CONFLICT (locator) DO UPDATE SET (tried_at, refused) = (
    SELECT CASE WHEN cardinality(recent.tries) < $4 THEN recent.tries || $3::timestamptz ELSE recent.tries END,
           cardinality(recent.tries) >= $4
    FROM (
        SELECT ARRAY(SELECT one FROM unnest(known.tried_at) AS one WHERE one > $2::timestamptz ORDER BY one) AS tries
    ) AS recent
)
RETURNING CASE WHEN refused THEN tried_at[1] END AS oldest_at;

-- name: revoke_links
UPDATE appointment SET link_version = link_version + 1 WHERE appointment_id = $1 AND link_version = $2
RETURNING link_version;

-- name: unfed
-- $1 office, $2 last service date that it knows, $3 how many at most. What a booking just before midnight left out is found
-- by the next look, because each appointment says itself whether its office knows it.
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment
WHERE office_id = $1 AND service_date <= $2 AND status = 'booked' AND fed_version IS DISTINCT FROM version
ORDER BY service_date, appointment_id
LIMIT $3
FOR UPDATE SKIP LOCKED;

-- name: mark_fed
UPDATE appointment SET fed_version = version WHERE appointment_id = ANY ($1::uuid[]);

-- name: close_past
-- $1 office, $2 its service date, $3 now, $4 how many at most. Nobody came with a booked appointment of a day that is over, as
-- far as central was told. While a restored central waits for reports it may not know that it was moved.
WITH past AS MATERIALIZED (
    SELECT appointment_id, service_date FROM appointment
    WHERE office_id = $1 AND service_date < $2 AND status = 'booked'
      AND NOT EXISTS (SELECT FROM central_life WHERE awaited <> '{}')
    ORDER BY service_date
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
UPDATE appointment SET changed_at = $3, status = CASE WHEN EXISTS (
    SELECT FROM closed_day WHERE closed_day.office = $1 AND closed_day.service_date = past.service_date
) THEN 'no_show' ELSE 'unknown' END
FROM past
WHERE appointment.appointment_id = past.appointment_id;

-- name: settle_unknown
-- $1 office, $2 first service date, $3 now, $4 how many at most: of days whose end was reported since.
UPDATE appointment SET changed_at = $3, status = 'no_show'
WHERE appointment_id = ANY (ARRAY(
    SELECT appointment.appointment_id
    FROM closed_day JOIN appointment ON appointment.office_id = closed_day.office
                                    AND appointment.service_date = closed_day.service_date
    WHERE closed_day.office = $1 AND closed_day.service_date >= $2
      AND appointment.office_id = $1 AND appointment.service_date >= $2 AND appointment.status = 'unknown'
    LIMIT $4
    FOR UPDATE OF appointment SKIP LOCKED
));

-- name: begin_draft
INSERT INTO booking_draft (cookie_hash, body, expires_at) VALUES ($1, $2, $3);

-- name: change_draft
-- $1 cookie's hash, $2 body as it was read, $3 body, $4 end. Nothing is written over what another request wrote meanwhile.
UPDATE booking_draft SET body = $3, expires_at = $4 WHERE cookie_hash = $1 AND body = $2
RETURNING true;

-- name: draft
SELECT body FROM booking_draft WHERE cookie_hash = $1 AND expires_at > $2;

-- name: drop_draft
DELETE FROM booking_draft WHERE cookie_hash = $1;
