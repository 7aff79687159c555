-- name: by_locator
-- $1 locator: at whatever office, for who tells it has it. Past ones have given their locator back.
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment WHERE locator = $1 AND status = 'booked';

-- name: by_document_end
-- $1 office, $2 first service date, $3 last four characters of a document, $4 how many at most
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment
WHERE office_id = $1 AND service_date >= $2 AND status = 'booked' AND document_end = $3
ORDER BY service_date, slot_start_at
LIMIT $4;

-- name: booked_of_day
-- $1 office, $2 service date, $3 how many at most
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment
WHERE office_id = $1 AND service_date = $2 AND status = 'booked'
ORDER BY slot_start_at, appointment_id
LIMIT $3;

-- name: booked_days
-- $1 office, $2 first and $3 last service date: no more days than the booking horizon has
SELECT service_date, count(*)::int AS booked
FROM appointment
WHERE office_id = $1 AND service_date BETWEEN $2 AND $3 AND status = 'booked'
GROUP BY service_date
ORDER BY service_date;

-- name: by_name
-- $1 office, $2 first service date, $3 patterns, one for each typed word, in lower case without accents, $4 how many at most.
-- What is booked at one office ahead of today is some thousand rows at the most, and the index leads to no others.
SELECT appointment_id, version, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at,
       duration_min, language, needs, link_version, fed_version, full_name, document_end, email
FROM appointment
WHERE office_id = $1 AND service_date >= $2 AND status = 'booked'
  AND ' ' || translate(lower(full_name), 'áàâäãåéèêëíìîïóòôöõúùûüñç', 'aaaaaaeeeeiiiiooooouuuunc') LIKE ALL ($3::text[])
ORDER BY service_date, slot_start_at
LIMIT $4;

-- name: person
SELECT full_name, document_end, email, phone, person_hash FROM appointment WHERE appointment_id = $1;
