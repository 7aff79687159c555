-- name: days_opened
-- $1 office, $2 and $3 instants around a service day. One row per life of the node in which the day opened, with the place before
-- which it ends.
SELECT f.epoch, f.seq, f.body, coalesce((
    SELECT later.seq FROM fact later
    WHERE later.office = f.office AND later.epoch = f.epoch AND later.type = 'day.opened' AND later.seq > f.seq
    ORDER BY later.seq LIMIT 1
), 9223372036854775807) AS end_seq
FROM fact f
WHERE f.office = $1 AND f.type = 'day.opened' AND f.occurred_at >= $2 AND f.occurred_at < $3
ORDER BY f.epoch, f.seq
LIMIT 20;

-- name: facts
-- $1 office, $2 epoch, $3 first place, $4 the place before which the day ends, $5 person or empty, $6 people only, $7 most
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body
FROM fact
WHERE office = $1 AND epoch = $2 AND seq >= $3 AND seq < $4
  AND ($5::text = '' OR actor_id = $5) AND (NOT $6::boolean OR actor_id NOT IN ('system', 'citizen'))
ORDER BY seq
LIMIT $7;

-- name: labelled
-- $1 office, $2 epoch, $3 first place, $4 end, $5 most: what gave a ticket its label.
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body
FROM fact
WHERE office = $1 AND epoch = $2 AND seq >= $3 AND seq < $4
  AND type IN ('ticket.issued', 'ticket.accepted', 'ticket.relabelled')
ORDER BY seq
LIMIT $5;

-- name: naming
-- $1 office, $2 epoch, $3 first place, $4 end, $5 ids, $6 most: facts of a day in whose body one of the ids stands.
SELECT office, epoch, seq, type, v, request_id, actor_id, device_id, occurred_at, boot_id, mono_ns, body
FROM fact
WHERE office = $1 AND epoch = $2 AND seq >= $3 AND seq < $4
  AND EXISTS (SELECT FROM unnest($5::text[]) AS wanted (id) WHERE position(convert_to(wanted.id, 'UTF8') IN body) > 0)
ORDER BY seq
LIMIT $6;

-- name: acts
-- $1 from, $2 before, $3 office or NULL for the city, $4 person or empty, $5 and $6 the last one seen or NULL, $7 most.
-- Acts of builds that did not say their office are found by what they were about.
SELECT audit_id, at, actor, act, subject, attested, detail FROM audit
WHERE at >= $1 AND at < $2
  AND ($3::text IS NULL OR office = $3 OR office IS NULL
       AND (subject = $3 OR starts_with(subject, $3 || '/') OR starts_with(subject, $3 || ' ')))
  AND ($4::text = '' OR actor = $4 OR split_part(actor, '/', 2) = $4)
  AND ($5::timestamptz IS NULL OR (at, audit_id) > ($5, $6::uuid))
ORDER BY at, audit_id
LIMIT $7;

-- name: acts_on
-- $1 subjects, $2 most
SELECT audit_id, at, actor, act, subject, attested, detail FROM audit WHERE subject = ANY ($1::text[]) ORDER BY at, audit_id
LIMIT $2;

-- name: appointments
-- $1 service date, $2 office, $3 locator: of a day, since past appointments have given their locators back.
SELECT appointment_id, version, status, locator, service_id, slot_start_at, channel, booked_at, changed_at
FROM appointment WHERE service_date = $1 AND office_id = $2 AND locator = $3
ORDER BY booked_at
LIMIT 10;

-- name: appointment
SELECT appointment_id, version, status, locator, service_id, slot_start_at, channel, booked_at, changed_at
FROM appointment WHERE appointment_id = $1;

-- name: mails
-- $1 kinds, $2 appointment
SELECT kind, state, queued_at, ended_at FROM mail WHERE kind = ANY ($1::text[]) AND appointment_id = $2 ORDER BY queued_at
LIMIT 50;

-- name: is_staff
SELECT EXISTS (SELECT FROM staff WHERE office_id = $1 AND id = $2);
