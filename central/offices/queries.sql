-- name: offices
SELECT id, name, address, phone, directions, latitude::float8 AS latitude, longitude::float8 AS longitude, time_zone, zones,
       spare_series, second_language, policy, policy_from
FROM office ORDER BY position, id;

-- name: services
SELECT id, family, names, summaries, documents, online_url, series, duration_min, walk_in, bookable, sensitive, pictogram
FROM service ORDER BY position, id;

-- name: office_services
SELECT office_id, service_id FROM office_service ORDER BY office_id, position, service_id;

-- name: hours
SELECT office_id, weekday, opens, closes FROM opening_hours ORDER BY office_id, weekday, opens;

-- name: dated_hours
SELECT office_id, service_date, open, opens, closes, note
FROM dated_hours WHERE service_date >= $1 ORDER BY office_id, service_date;

-- name: holidays
SELECT day, names, confirmed FROM holiday ORDER BY day;

-- name: counters
SELECT office_id, id, zone, primary_services AS primary, secondary_services AS secondary
FROM counter ORDER BY office_id, position, id;

-- name: staff
SELECT staff.office_id, staff.id, display_name, roles, verifier, valid_until, demo, factor.secret, factor.recovery
FROM staff LEFT JOIN second_factor factor ON factor.office_id = staff.office_id AND factor.staff_id = staff.id
ORDER BY staff.office_id, staff.id;

-- name: policies
SELECT office_id, effective_from, policy FROM office_policy ORDER BY office_id, effective_from;

-- name: pools
SELECT office_id, id, services, slot_min, seats FROM pool ORDER BY office_id, id;

-- name: pool_bands
SELECT office_id, pool_id, weekday, starts, ends, seats FROM pool_band ORDER BY office_id, pool_id, weekday, starts;

-- name: lock_catalogue
-- One load at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(1128354884);

-- name: put_office
INSERT INTO office (id, position, name, address, phone, directions, latitude, longitude, time_zone, zones, spare_series,
                    second_language, policy, policy_from)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (id) DO UPDATE SET
    position = excluded.position, name = excluded.name, address = excluded.address, phone = excluded.phone,
    directions = excluded.directions, latitude = excluded.latitude, longitude = excluded.longitude,
    time_zone = excluded.time_zone, zones = excluded.zones, spare_series = excluded.spare_series,
    second_language = excluded.second_language, policy = excluded.policy,
    policy_from = CASE WHEN office.policy = excluded.policy THEN office.policy_from ELSE excluded.policy_from END;

-- name: put_service
INSERT INTO service (id, position, family, names, summaries, documents, online_url, series, duration_min, walk_in, bookable,
                     sensitive, pictogram)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO UPDATE SET
    position = excluded.position, family = excluded.family, names = excluded.names, summaries = excluded.summaries,
    documents = excluded.documents, online_url = excluded.online_url, series = excluded.series,
    duration_min = excluded.duration_min, walk_in = excluded.walk_in, bookable = excluded.bookable,
    sensitive = excluded.sensitive, pictogram = excluded.pictogram;

-- name: clear_office_services
DELETE FROM office_service WHERE office_id = $1;

-- name: put_office_service
INSERT INTO office_service (office_id, service_id, position) VALUES ($1, $2, $3);

-- name: clear_hours
DELETE FROM opening_hours WHERE office_id = $1;

-- name: put_hours
INSERT INTO opening_hours (office_id, weekday, opens, closes) VALUES ($1, $2, $3, $4);

-- name: clear_dated_hours
-- Only what a load wrote: hours that staff or the demo gave to a day stay.
DELETE FROM dated_hours WHERE office_id = $1 AND source = 'city';

-- name: put_dated_hours
INSERT INTO dated_hours (office_id, service_date, open, opens, closes, note, source)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (office_id, service_date) DO UPDATE SET
    open = excluded.open, opens = excluded.opens, closes = excluded.closes, note = excluded.note, source = excluded.source;

-- name: put_dated_hours_unless_there
INSERT INTO dated_hours (office_id, service_date, open, opens, closes, note, source)
VALUES ($1, $2, $3, $4, $5, $6, 'city')
ON CONFLICT (office_id, service_date) DO NOTHING;

-- name: clear_closed_over
-- What a load wrote under a closure by staff.
DELETE FROM closed_over WHERE office_id = $1 AND source = 'city';

-- name: put_closed_over
-- Hours of a day that staff closed wait below, until the closure is lifted.
INSERT INTO closed_over (office_id, service_date, open, opens, closes, note, source)
SELECT $1, $2, $3, $4, $5, $6, 'city'
FROM dated_hours WHERE office_id = $1 AND service_date = $2 AND NOT open AND source = 'staff'
ON CONFLICT (office_id, service_date) DO NOTHING;

-- name: clear_counters
DELETE FROM counter WHERE office_id = $1;

-- name: put_counter
INSERT INTO counter (office_id, id, position, zone, primary_services, secondary_services) VALUES ($1, $2, $3, $4, $5, $6);

-- name: clear_staff
DELETE FROM staff WHERE office_id = $1;

-- name: put_staff
INSERT INTO staff (office_id, id, display_name, roles, verifier, valid_until, demo) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: staff_member
SELECT display_name, roles FROM staff WHERE office_id = $1 AND id = $2;

-- name: has_second_factor
SELECT 1 FROM second_factor WHERE office_id = $1 AND staff_id = $2;

-- name: put_second_factor
INSERT INTO second_factor (office_id, staff_id, secret, recovery, enrolled_at, enrolled_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (office_id, staff_id) DO UPDATE SET
    secret = excluded.secret, recovery = excluded.recovery, enrolled_at = excluded.enrolled_at,
    enrolled_by = excluded.enrolled_by, recovery_used = '{}';

-- name: drop_second_factor
DELETE FROM second_factor WHERE office_id = $1 AND staff_id = $2 RETURNING staff_id;

-- name: retire_pools
-- Pools keep their rows: slots and appointments name them. One that is no longer configured gives no more seats.
UPDATE pool SET services = '{}', seats = 0 WHERE office_id = $1;

-- name: clear_pool_bands
DELETE FROM pool_band WHERE office_id = $1;

-- name: put_pool
INSERT INTO pool (office_id, id, services, slot_min, seats) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (office_id, id) DO UPDATE SET
    services = excluded.services, slot_min = excluded.slot_min, seats = excluded.seats;

-- name: put_pool_band
INSERT INTO pool_band (office_id, pool_id, weekday, starts, ends, seats) VALUES ($1, $2, $3, $4, $5, $6);

-- name: clear_holidays
DELETE FROM holiday WHERE extract(year FROM day) = ANY ($1::int[]);

-- name: put_holiday
INSERT INTO holiday (day, names, confirmed) VALUES ($1, $2, $3)
ON CONFLICT (day) DO UPDATE SET names = excluded.names, confirmed = excluded.confirmed;

-- name: announce
SELECT pg_notify('catalogue', '');

-- name: fed_entities
-- What a stream holds of some kinds; what is no longer configured is withdrawn.
SELECT kind, entity_id, version FROM feed_entity WHERE stream = $1 AND kind = ANY ($2::text[]);
