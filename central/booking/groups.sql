-- Several bookings in one statement and one commit: what waited while the bookings before were being written.

-- name: book_group
-- The arguments of `book` (seats.sql) as arrays with one element per booking; but $4 is one instant for all, and starts ($7)
-- and needs ($17) come as the text of an array, because arrays of arrays must be rectangular. $27 is how long to wait for
-- anybody else's lock, such as an office's feed head: all offices of the group would wait with it.
-- No two bookings of a group have the same request, person and family, or hold (central.booking.groups).
-- Returns the appointments that were made. What is left out was answered before, is not the person's only one in its family,
-- or found too few seats that nobody was claiming: the caller looks into it alone. Every slot gives its seats in the order of
-- the bookings, holds' own seats first; streams are fed in sorted order, so that the groups of two processes do not lock
-- them crosswise.
-- OFFSET 0 keeps a look-up what it is, one by index for each booking: a join that was planned while a table was small would
-- read it whole until the next ANALYZE. The person is no look-up but ON CONFLICT, for the same reason.
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', $27, true)
), asked AS MATERIALIZED (
    SELECT ask.*, ask.starts_text::timestamptz[] AS starts
    FROM patience CROSS JOIN unnest(
        $1::uuid[], $2::bytea[], $3::bytea[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::uuid[], $10::text[],
        $11::text[], $12::text[], $13::date[], $14::int[], $15::bytea[], $16::text[], $17::text[], $18::text[], $19::text[],
        $20::text[], $21::text[], $22::text[], $23::text[], $24::bytea[], $25::uuid[], $26::bytea[]
    ) WITH ORDINALITY AS ask (
        request_id, fingerprint, reply, office_id, pool_id, starts_text, hold_id, appointment_id, locator,
        service_id, family, service_date, duration_min, person_hash, language, needs, channel, full_name,
        document_end, email, phone, stream, body, mail_id, letter, n
    )
    WHERE NOT EXISTS (SELECT FROM booking_reply WHERE booking_reply.request_id = ask.request_id OFFSET 0)
      AND NOT EXISTS (SELECT FROM central_life WHERE awaited <> '{}')
), wanted AS MATERIALIZED (
    SELECT asked.n, asked.hold_id, one.slot_id
    FROM asked CROSS JOIN LATERAL (
        SELECT slot.slot_id FROM slot
        WHERE slot.office_id = asked.office_id AND slot.pool_id = asked.pool_id AND slot.start_at = ANY (asked.starts)
          AND slot.open
        OFFSET 0
    ) AS one
), needed AS (
    SELECT slot_id, count(*) AS seats, array_agg(hold_id) FILTER (WHERE hold_id IS NOT NULL) AS holds
    FROM wanted GROUP BY slot_id ORDER BY slot_id
), picked AS MATERIALIZED (
    SELECT one.slot_id, one.seat_no, one.own
    FROM needed CROSS JOIN LATERAL (
        SELECT seat.slot_id, seat.seat_no, CASE WHEN seat.hold_id = ANY (needed.holds) THEN seat.hold_id END AS own
        FROM seat
        WHERE seat.slot_id = needed.slot_id
          AND (seat.state = 'free' AND NOT seat.over
               OR seat.state = 'held'
                  AND (seat.hold_id = ANY (needed.holds) OR seat.held_until <= $4::timestamptz AND NOT seat.over))
        ORDER BY (seat.hold_id = ANY (needed.holds)) IS NOT TRUE, seat.seat_no
        LIMIT needed.seats
        FOR UPDATE SKIP LOCKED
    ) AS one
), takers AS (
    SELECT wanted.n, wanted.slot_id, row_number() OVER (PARTITION BY wanted.slot_id ORDER BY picked.own, wanted.n) AS turn
    FROM wanted LEFT JOIN picked ON picked.slot_id = wanted.slot_id AND picked.own = wanted.hold_id
), given AS MATERIALIZED (
    SELECT takers.n, seats.slot_id, seats.seat_no
    FROM takers JOIN (
        SELECT slot_id, seat_no, row_number() OVER (PARTITION BY slot_id ORDER BY own, seat_no) AS turn FROM picked
    ) AS seats USING (slot_id, turn)
), fits AS MATERIALIZED (
    SELECT asked.* FROM asked
    WHERE (SELECT count(*) FROM given WHERE given.n = asked.n) = cardinality(asked.starts)
), booked AS (
    INSERT INTO appointment (
        appointment_id, locator, office_id, pool_id, service_id, family, service_date, slot_start_at, starts, duration_min,
        person_hash, language, needs, channel, fed_version, booked_at, changed_at, full_name, document_end, email, phone
    )
    SELECT appointment_id, locator, office_id, pool_id, service_id, family, service_date, starts[1], starts, duration_min,
           person_hash, language, needs::text[], channel, CASE WHEN stream IS NOT NULL THEN 1 END, $4, $4, full_name,
           document_end, email, phone
    FROM fits
    ON CONFLICT (person_hash, family) WHERE status = 'booked' DO NOTHING
    RETURNING appointment_id
), claimed AS (
    UPDATE seat SET state = 'booked', appointment_id = fits.appointment_id, hold_id = NULL, held_until = NULL
    FROM given JOIN fits USING (n) JOIN booked USING (appointment_id)
    WHERE seat.slot_id = given.slot_id AND seat.seat_no = given.seat_no
), answered AS (
    INSERT INTO booking_reply (request_id, fingerprint, reply, answered_at)
    SELECT request_id, fingerprint, reply, $4 FROM fits JOIN booked USING (appointment_id)
    RETURNING request_id
), unheld AS (
    DELETE FROM hold WHERE hold_id = ANY (ARRAY(SELECT fits.hold_id FROM fits JOIN booked USING (appointment_id)))
), mailed AS (
    INSERT INTO mail (mail_id, kind, appointment_id, version, recipient, message, queued_at, next_at)
    SELECT mail_id, 'confirmed', appointment_id, 1, email, letter, $4, $4
    FROM fits JOIN booked USING (appointment_id) WHERE mail_id IS NOT NULL
), done AS MATERIALIZED (
    SELECT fits.appointment_id, fits.stream, fits.body
    FROM fits JOIN booked USING (appointment_id) JOIN answered USING (request_id)
    ORDER BY fits.stream COLLATE "C", fits.n
)
SELECT
    done.appointment_id,
    CASE WHEN done.stream IS NOT NULL THEN (
        SELECT fed.fed_seq FROM feed_put(done.stream, 'appointment', done.appointment_id::text, 1, 'put', done.body) AS fed
    ) END AS fed_seq
FROM done;
