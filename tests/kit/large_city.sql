-- A year of a region of 200 offices, made up on the spot, so that plans are chosen as on a large database. A table that can grow beyond ten
-- thousand rows gets its rows here; tests/integration/test_statement_plans.py checks that no statement reads it whole.

INSERT INTO office (id, position, name, address, time_zone, zones, spare_series, second_language, policy, policy_from)
SELECT 'office-' || n, n, 'Office', '', 'Africa/Ceuta', '{a}', 'Z', 'ar', '{}', '2026-01-01' FROM generate_series(1, 200) n;

INSERT INTO service (id, position, family, names, series, duration_min, walk_in, bookable, sensitive, pictogram)
SELECT 'service-' || n, n, 'family-' || n, '{}', 'A', 10, true, true, false, 'document' FROM generate_series(1, 10) n;

INSERT INTO pool (office_id, id, services, slot_min, seats)
SELECT 'office-' || n, 'main', '{service-1}', 10, 4 FROM generate_series(1, 200) n;

INSERT INTO office_authority (office, epoch, last_seq)
SELECT 'office-' || n, 1, 500 FROM generate_series(1, 200) n;

INSERT INTO fact (office, epoch, seq, type, v, actor_id, device_id, occurred_at, boot_id, mono_ns, body, hash)
SELECT
    'office-' || o, 1, s, CASE WHEN s % 100 = 1 THEN 'day.opened' ELSE 'ticket.printed' END, 1, 'system', 'edge',
    timestamptz '2026-01-01 08:00Z' + s * interval '1 minute', 'boot', s, '{}', decode(repeat('00', 32), 'hex')
FROM generate_series(1, 200) o, generate_series(1, 500) s;

INSERT INTO fact_parked (office, epoch, seq, type, detail, resolved_at)
SELECT office, epoch, seq, type, 'poison', now() FROM fact WHERE seq % 8 = 0;

INSERT INTO stream_head (stream, head, hash)
SELECT 'office:office-' || n, 500, decode(repeat('00', 32), 'hex') FROM generate_series(1, 200) n;

INSERT INTO feed (stream, seq, kind, entity_id, version, op, body, row_hash, created_at)
SELECT
    'office:office-' || o, s, 'appointment', 'a' || s, 1, 'put', '{}', decode(repeat('00', 32), 'hex'),
    now() - (500 - s) * interval '50 minutes'
FROM generate_series(1, 200) o, generate_series(1, 500) s;

INSERT INTO feed_entity (stream, kind, entity_id, version, body)
SELECT 'office:office-' || o, 'appointment', 'a' || s, 1, '{"slot_start_at":"2026-03-01T08:00:00Z"}'
FROM generate_series(1, 200) o, generate_series(1, 250) s;

INSERT INTO slot (slot_id, office_id, pool_id, service_date, start_at, duration_min)
SELECT
    gen_random_uuid(), 'office-' || o, 'main', date '2026-01-01' + s / 40,
    (date '2026-01-01' + s / 40) + interval '8 hours' + (s % 40) * interval '10 minutes', 10
FROM generate_series(1, 200) o, generate_series(0, 199) s;

INSERT INTO seat (slot_id, seat_no) SELECT slot_id, n FROM slot, generate_series(1, 4) n;

INSERT INTO appointment (
    appointment_id, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at, starts,
    duration_min, person_hash, language, channel, fed_version, booked_at, changed_at
)
SELECT
    gen_random_uuid(), CASE WHEN n % 20 = 0 THEN 'booked' ELSE 'attended' END, 'L' || n, 'office-' || 1 + n % 200, 'main',
    'service-1', 'family-1', date '2026-01-01' + n / 500, timestamptz '2026-01-01 08:00Z' + n * interval '1 minute', '{}',
    10, decode(lpad(to_hex(n), 8, '0'), 'hex'), 'es', 'portal', 1, now(), now()
FROM generate_series(1, 100000) n;

INSERT INTO closed_day (office, service_date)
SELECT 'office-' || o, date '2026-01-01' + n FROM generate_series(1, 200) o, generate_series(0, 99) n;

INSERT INTO hold (hold_id, office_id, pool_id, service_id, start_at, starts, duration_min, held_until, holder)
SELECT gen_random_uuid(), 'office-1', 'main', 'service-1', now(), '{}', 10, now() + n * interval '1 second',
       decode(lpad(to_hex(n / 10), 8, '0'), 'hex')
FROM generate_series(1, 20000) n;

INSERT INTO booking_reply (request_id, fingerprint, reply, answered_at)
SELECT gen_random_uuid(), '\x00', '{}', now() - n * interval '1 second' FROM generate_series(1, 50000) n;

INSERT INTO booking_draft (cookie_hash, body, expires_at)
SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), '{}', now() + n * interval '1 second' FROM generate_series(1, 20000) n;

INSERT INTO lookup_try (locator, tried_at)
SELECT 'L' || n, ARRAY[now() - n * interval '1 second'] FROM generate_series(1, 20000) n;

INSERT INTO mail (mail_id, kind, appointment_id, version, state, queued_at, next_at)
SELECT gen_random_uuid(), 'confirmed', gen_random_uuid(), 1, CASE WHEN n % 100 = 0 THEN 'queued' ELSE 'sent' END, now(), now()
FROM generate_series(1, 50000) n;

INSERT INTO ticket_token (ticket_id, tenure, office, accepted, service_date)
SELECT gen_random_uuid(), 2, 'office-' || 1 + n % 200, n % 20 > 0, date '2026-01-01' + n / 200 FROM generate_series(1, 40000) n;

INSERT INTO lease (lease_id, office, fence, body, settled_at)
SELECT gen_random_uuid(), 'office-' || 1 + n % 200, 1, '{}', CASE WHEN n % 50 > 0 THEN now() END FROM generate_series(1, 20000) n;

INSERT INTO lease_seat (lease_id, slot_id, seat_no, start_at, outcome)
SELECT lease_id, gen_random_uuid(), n, now(), CASE WHEN n > 2 THEN 'returned' END FROM lease, generate_series(1, 8) n;

INSERT INTO conflict (key, kind, office, subject_id, suggestion, detail, resolved_at, resolved_by, resolution)
SELECT 'k' || n, 'seat_gone', 'office-1', '', 'call_person', '{}', now(), 'ana', 'called' FROM generate_series(1, 20000) n;

INSERT INTO audit (audit_id, at, actor, act, subject, detail)
SELECT gen_random_uuid(), now() - n * interval '1 hour', 'ana', 'node.replaced', 'office-1', '{}' FROM generate_series(1, 20000) n;

INSERT INTO office_configuration (office, versions, applied_at) SELECT 'office-' || n, '{}', now() FROM generate_series(1, 200) n;

INSERT INTO staff_session (token_hash, office_id, staff_id, opened_with, created_at, seen_at, expires_at, awaits_code)
SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), 'office-' || 1 + n % 200, 'staff-' || n, '\x00', now(), now(),
       now() + n * interval '1 second', false
FROM generate_series(1, 20000) n;

INSERT INTO day_report (office, epoch, first_seq, last_seq, service_date, rules, made_at)
SELECT 'office-' || o, 1, 1000 * d, 1000 * d + 900, date '2026-01-01' + d, 1, now()
FROM generate_series(1, 200) o, generate_series(1, 60) d;

INSERT INTO day_override (office, service_date, epoch, first_seq, seq, kind, reason, is_undone, body)
SELECT 'office-' || o, date '2026-01-01' + d, 1, 1000 * d, 1000 * d + n, 'call', 'short', false, '{}'
FROM generate_series(1, 200) o, generate_series(1, 60) d, generate_series(1, 5) n;

INSERT INTO day_held (office, service_date, epoch, first_seq, service, announced, before, inside, after, far_after)
SELECT 'office-' || o, date '2026-01-01' + d, 1, 1000 * d, 'service-' || n, 20, 5, 12, 3, 1
FROM generate_series(1, 200) o, generate_series(1, 60) d, generate_series(1, 5) n;

INSERT INTO retention_run (run_id, kind, older_than, began_at, ended_at, gone, run_by)
SELECT gen_random_uuid(), 'kind-' || n % 10, now(), now() - n * interval '1 hour', now(), 1, 'central' FROM generate_series(1, 20000) n;

INSERT INTO closure_run (run_id, office_id, began_at, begun_by, ended_at, notice_min, own_office_only)
SELECT gen_random_uuid(), 'office-' || 1 + n % 200, now() - n * interval '1 hour', 'ana', now(), 1440, false FROM generate_series(1, 20000) n;

INSERT INTO closure_item (run_id, place, appointment_id, request_id, act, was_office_id, was_start_at, to_office_id, to_start_at, state)
SELECT run_id, n, gen_random_uuid(), gen_random_uuid(), 'move', office_id, now(), office_id, now(), 'done'
FROM closure_run, generate_series(1, 5) n;
