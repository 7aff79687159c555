-- Of each kind: `forget_` deletes or empties at most $2 of what ended before $1, `count_` counts them up to $2, `oldest_` is when
-- the oldest ended that is there. Dates of appointments end at midnight, UTC.

-- name: forget_people
-- Anonymised: what is left of an appointment is statistics. One that is still booked keeps what makes it one per person.
UPDATE appointment SET full_name = NULL, document_end = NULL, email = NULL, phone = NULL, needs = '{}',
    person_hash = CASE WHEN status = 'booked' THEN person_hash END
WHERE appointment_id = ANY (ARRAY(
    SELECT appointment_id FROM appointment
    WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0
      AND service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date
      AND (status <> 'booked' OR num_nonnulls(full_name, document_end, email, phone) > 0)
    ORDER BY service_date LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_people
SELECT count(*) FROM (
    SELECT FROM appointment
    WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0
      AND service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date
      AND (status <> 'booked' OR num_nonnulls(full_name, document_end, email, phone) > 0)
    LIMIT $2
) AS old;

-- name: oldest_people
SELECT (service_date + 1)::timestamp AT TIME ZONE 'UTC' FROM appointment
WHERE num_nonnulls(full_name, document_end, email, phone, person_hash) > 0
  AND (status <> 'booked' OR num_nonnulls(full_name, document_end, email, phone) > 0)
ORDER BY service_date LIMIT 1;

-- name: forget_drafts
DELETE FROM booking_draft WHERE cookie_hash = ANY (ARRAY(
    SELECT cookie_hash FROM booking_draft WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_drafts
SELECT count(*) FROM (SELECT FROM booking_draft WHERE expires_at < $1 LIMIT $2) AS old;

-- name: oldest_drafts
SELECT min(expires_at) FROM booking_draft;

-- name: forget_unsent
-- Given up, and what they say is deleted.
UPDATE mail SET state = 'dropped', ended_at = greatest(queued_at, next_at), recipient = NULL, message = NULL, problem = 'too old'
WHERE mail_id = ANY (ARRAY(
    SELECT mail_id FROM mail WHERE state IN ('queued', 'sending') AND state = 'queued' AND queued_at < $1
    ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_unsent
SELECT count(*) FROM (
    SELECT FROM mail WHERE state IN ('queued', 'sending') AND state = 'queued' AND queued_at < $1 LIMIT $2
) AS old;

-- name: oldest_unsent
SELECT min(queued_at) FROM mail WHERE state IN ('queued', 'sending');

-- name: count_holds
SELECT count(*) FROM (SELECT FROM hold WHERE held_until <= $1 LIMIT $2) AS old;

-- name: oldest_holds
SELECT min(held_until) FROM hold;

-- name: forget_sessions
DELETE FROM staff_session WHERE token_hash = ANY (ARRAY(
    SELECT token_hash FROM staff_session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_sessions
SELECT count(*) FROM (SELECT FROM staff_session WHERE expires_at < $1 LIMIT $2) AS old;

-- name: oldest_sessions
SELECT min(expires_at) FROM staff_session;

-- name: forget_mails
-- whole table: hourly; an index on the end would cost every mail
DELETE FROM mail WHERE mail_id = ANY (ARRAY(SELECT mail_id FROM mail WHERE ended_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED));

-- name: count_mails
-- whole table: an index on the end would cost every mail
SELECT count(*) FROM (SELECT FROM mail WHERE ended_at < $1 LIMIT $2) AS old;

-- name: oldest_mails
-- whole table: once an hour at most; an index on the end would cost every mail
SELECT min(ended_at) FROM mail;

-- name: forget_replies
DELETE FROM booking_reply WHERE request_id = ANY (ARRAY(
    SELECT request_id FROM booking_reply WHERE answered_at < $1 ORDER BY answered_at LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_replies
SELECT count(*) FROM (SELECT FROM booking_reply WHERE answered_at < $1 LIMIT $2) AS old;

-- name: oldest_replies
SELECT min(answered_at) FROM booking_reply;

-- name: forget_lookups
-- whole table: hourly; tries are kept for minutes, so most of them go
DELETE FROM lookup_try WHERE locator = ANY (ARRAY(
    SELECT locator FROM lookup_try WHERE tried_at[cardinality(tried_at)] < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_lookups
-- whole table: tries are kept for minutes
SELECT count(*) FROM (SELECT FROM lookup_try WHERE tried_at[cardinality(tried_at)] < $1 LIMIT $2) AS old;

-- name: oldest_lookups
-- whole table: tries are kept for minutes
SELECT min(tried_at[cardinality(tried_at)]) FROM lookup_try;

-- name: forget_tokens
DELETE FROM ticket_token WHERE ticket_id = ANY (ARRAY(
    SELECT ticket_id FROM ticket_token WHERE service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date
    ORDER BY service_date LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: count_tokens
SELECT count(*) FROM (
    SELECT FROM ticket_token WHERE service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date LIMIT $2
) AS old;

-- name: oldest_tokens
SELECT (min(service_date) + 1)::timestamp AT TIME ZONE 'UTC' FROM ticket_token;

-- name: count_reports
SELECT count(*) FROM (
    SELECT FROM day_report WHERE service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date LIMIT $2
) AS old;

-- name: oldest_reports
SELECT (min(service_date) + 1)::timestamp AT TIME ZONE 'UTC' FROM day_report;

-- name: forget_overrides
DELETE FROM day_override WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM day_override WHERE service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date
    ORDER BY service_date LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: forget_held
DELETE FROM day_held WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM day_held WHERE service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date
    ORDER BY service_date LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: forget_reports
DELETE FROM day_report WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM day_report WHERE service_date < ($1::timestamptz AT TIME ZONE 'UTC')::date
    ORDER BY service_date LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: forget_feed
-- Rows grow old in the order of their seq, give or take a moment: of every stream what stands before its first young row, from its
-- old end on, so that no stream ever has a hole.
DELETE FROM feed USING (
    SELECT old.stream, old.seq FROM stream_head h CROSS JOIN LATERAL (
        SELECT coalesce(
            (SELECT y.seq FROM feed y WHERE y.stream = h.stream AND y.created_at >= $1 ORDER BY y.seq LIMIT 1), h.head + 1
        ) AS seq
    ) AS young CROSS JOIN LATERAL (
        SELECT f.stream, f.seq FROM feed f WHERE f.stream = h.stream AND f.seq < young.seq ORDER BY f.seq LIMIT $2
    ) AS old
    ORDER BY h.stream, old.seq
    LIMIT $2
) AS gone
WHERE feed.stream = gone.stream AND feed.seq = gone.seq;

-- name: count_feed
SELECT count(*) FROM (
    SELECT old.stream, old.seq FROM stream_head h CROSS JOIN LATERAL (
        SELECT coalesce(
            (SELECT y.seq FROM feed y WHERE y.stream = h.stream AND y.created_at >= $1 ORDER BY y.seq LIMIT 1), h.head + 1
        ) AS seq
    ) AS young CROSS JOIN LATERAL (
        SELECT f.stream, f.seq FROM feed f WHERE f.stream = h.stream AND f.seq < young.seq ORDER BY f.seq LIMIT $2
    ) AS old
    ORDER BY h.stream, old.seq
    LIMIT $2
) AS gone;

-- name: oldest_feed
SELECT min(first.created_at) FROM stream_head h CROSS JOIN LATERAL (
    SELECT created_at FROM feed WHERE feed.stream = h.stream ORDER BY feed.seq LIMIT 1
) AS first;

-- name: streams
-- The offices with the zones in which their days turn.
SELECT id AS office, time_zone FROM office ORDER BY id;

-- name: past_on_stream
-- $1 stream, $2 instant, $3 at most: appointments whose slot was before.
SELECT entity_id, version FROM feed_entity
WHERE stream = $1 AND kind = 'appointment' AND (convert_from(body, 'UTF8')::jsonb ->> 'slot_start_at')::timestamptz < $2
ORDER BY entity_id
LIMIT $3;

-- name: oldest_on_stream
SELECT min((convert_from(body, 'UTF8')::jsonb ->> 'slot_start_at')::timestamptz) FROM feed_entity
WHERE stream = $1 AND kind = 'appointment';

-- name: forget_closure_items
-- whole table: runs are some a year
DELETE FROM closure_item USING (
    SELECT item.run_id, item.place FROM closure_run run JOIN closure_item item USING (run_id) WHERE run.ended_at < $1 LIMIT $2
) AS old
WHERE closure_item.run_id = old.run_id AND closure_item.place = old.place;

-- name: forget_closures
-- whole table: runs are some a year
DELETE FROM closure_run WHERE run_id = ANY (ARRAY(
    SELECT run_id FROM closure_run run
    WHERE ended_at < $1 AND NOT EXISTS (SELECT FROM closure_item item WHERE item.run_id = run.run_id)
    LIMIT $2
));

-- name: count_closures
-- whole table: runs are some a year
SELECT (SELECT count(*) FROM (SELECT FROM closure_run WHERE ended_at < $1 LIMIT $2) AS runs) + (
    SELECT count(*) FROM (
        SELECT FROM closure_run run JOIN closure_item item USING (run_id) WHERE run.ended_at < $1 LIMIT $2
    ) AS items
);

-- name: oldest_closures
-- whole table: runs are some a year
SELECT min(ended_at) FROM closure_run;

-- name: forget_runs
-- whole table: some a day, for a year
DELETE FROM retention_run WHERE run_id = ANY (ARRAY(SELECT run_id FROM retention_run WHERE began_at < $1 LIMIT $2));

-- name: count_runs
-- whole table: some a day, for a year
SELECT count(*) FROM (SELECT FROM retention_run WHERE began_at < $1 LIMIT $2) AS old;

-- name: oldest_runs
-- whole table: some a day, for a year
SELECT min(began_at) FROM retention_run;

-- name: oldest_conflicts
-- whole table: what people had to look at
SELECT min(noted_at) FROM conflict;

-- name: oldest_parked
-- whole table: what no projection held
SELECT min(parked_at) FROM fact_parked;

-- name: oldest_leases
-- whole table: one an office and day
SELECT min(lent_at) FROM lease;

-- name: oldest_policies
SELECT min(set_at) FROM office_policy;

-- name: oldest_facts
SELECT min(first.received_at) FROM office o CROSS JOIN LATERAL (
    SELECT received_at FROM fact WHERE fact.office = o.id ORDER BY fact.epoch, fact.seq LIMIT 1
) AS first;

-- name: oldest_audit
SELECT min(at) FROM audit;

-- name: oldest_appointments
SELECT (min(service_date) + 1)::timestamp AT TIME ZONE 'UTC' FROM appointment;

-- name: last_runs
SELECT last.* FROM unnest($1::text[]) AS wanted (kind) CROSS JOIN LATERAL (
    SELECT kind, began_at, ended_at, gone, oldest_left, older_than FROM retention_run
    WHERE retention_run.kind = wanted.kind ORDER BY began_at DESC LIMIT 1
) AS last;

-- name: succeeded
-- When each kind last came to its end; when it was first begun, for one that never did.
SELECT wanted.kind, coalesce((
    SELECT ended_at FROM retention_run
    WHERE retention_run.kind = wanted.kind AND ended_at IS NOT NULL ORDER BY began_at DESC LIMIT 1
), (
    SELECT began_at FROM retention_run WHERE retention_run.kind = wanted.kind ORDER BY began_at LIMIT 1
)) AS at
FROM unnest($1::text[]) AS wanted (kind);

-- name: gone_since
SELECT wanted.kind, (
    SELECT coalesce(sum(gone), 0)::bigint FROM retention_run WHERE retention_run.kind = wanted.kind AND began_at >= $2
) AS gone
FROM unnest($1::text[]) AS wanted (kind);

-- name: runs_of
-- $1 kind, $2 began before, $3 at most
SELECT began_at, ended_at, gone, oldest_left, older_than, run_by FROM retention_run
WHERE kind = $1 AND began_at < $2 ORDER BY began_at DESC LIMIT $3;

-- name: begin_run
INSERT INTO retention_run (run_id, kind, older_than, began_at, run_by) VALUES ($1, $2, $3, $4, $5);

-- name: note_gone
UPDATE retention_run SET gone = gone + $2 WHERE run_id = $1;

-- name: end_run
UPDATE retention_run SET ended_at = $2, oldest_left = $3 WHERE run_id = $1;

-- name: try_lock
-- One process carries rules out at a time.
SELECT pg_try_advisory_lock(1936484213);

-- name: unlock
SELECT pg_advisory_unlock(1936484213);
