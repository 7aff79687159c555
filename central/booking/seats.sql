-- Claims on seats. Each is one statement: a slot's seat is picked and locked, then taken only if every slot that the
-- appointment needs gave one. SKIP LOCKED makes two people take two different seats instead of waiting for each other; the
-- second try takes the same text without it (central.booking.seats) and so waits for whoever is just claiming.
-- An expired hold counts as free. A hold's own seats come first: confirming takes them, or others if they were taken.
-- The feed's head is locked last: it stands still for the whole office until the commit.
-- While a restored central waits for offices' reports nothing is claimed: it may have forgotten who has a seat.
-- No NOTIFY in any of them: see central/hints.py.

-- name: book
-- $1 request, $2 fingerprint, $3 reply, $4 now, $5 office, $6 pool, $7 starts, $8 hold or NULL, $9 appointment, $10 locator,
-- $11 service, $12 family, $13 service date, $14 duration, $15 person, $16 language, $17 needs, $18 channel, $19 name,
-- $20 document's end, $21 e-mail, $22 phone, $23 stream or NULL outside the offices' horizon, $24 feed body, $25 mail or
-- NULL, $26 letter
WITH wanted AS (
    SELECT slot.slot_id FROM slot
    WHERE slot.office_id = $5 AND slot.pool_id = $6 AND slot.start_at = ANY ($7::timestamptz[]) AND slot.open
      AND NOT EXISTS (SELECT FROM central_life WHERE awaited <> '{}')
    ORDER BY slot.start_at
), picked AS (
    SELECT one.slot_id, one.seat_no
    FROM wanted CROSS JOIN LATERAL (
        SELECT seat.slot_id, seat.seat_no FROM seat
        WHERE seat.slot_id = wanted.slot_id
          AND (seat.state = 'free' AND NOT seat.over
               OR seat.state = 'held' AND (seat.hold_id = $8::uuid OR seat.held_until <= $4::timestamptz AND NOT seat.over))
        ORDER BY (seat.hold_id = $8::uuid) IS NOT TRUE, seat.seat_no
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS one
), claimed AS (
    UPDATE seat SET state = 'booked', appointment_id = $9::uuid, hold_id = NULL, held_until = NULL
    FROM picked
    WHERE seat.slot_id = picked.slot_id AND seat.seat_no = picked.seat_no
      AND (SELECT count(*) FROM picked) = cardinality($7::timestamptz[])
    RETURNING seat.slot_id
), booked AS (
    INSERT INTO appointment (
        appointment_id, locator, office_id, pool_id, service_id, family, service_date, slot_start_at, starts, duration_min,
        person_hash, language, needs, channel, fed_version, booked_at, changed_at, full_name, document_end, email, phone
    )
    SELECT $9::uuid, $10, $5, $6, $11, $12, $13, ($7::timestamptz[])[1], $7::timestamptz[], $14,
           $15, $16, $17, $18, CASE WHEN $23::text IS NOT NULL THEN 1 END, $4, $4, $19, $20, $21, $22
    WHERE EXISTS (SELECT FROM claimed)
    RETURNING appointment_id
), answered AS (
    INSERT INTO booking_reply (request_id, fingerprint, reply, answered_at)
    SELECT $1::uuid, $2::bytea, $3::bytea, $4 FROM booked
    RETURNING request_id
), unheld AS (
    DELETE FROM hold WHERE hold_id = $8::uuid AND EXISTS (SELECT FROM booked)
), mailed AS (
    INSERT INTO mail (mail_id, kind, appointment_id, version, recipient, message, queued_at, next_at)
    SELECT $25::uuid, 'confirmed', booked.appointment_id, 1, $21, $26::bytea, $4, $4 FROM booked WHERE $25::uuid IS NOT NULL
), done AS MATERIALIZED (
    SELECT booked.appointment_id FROM booked CROSS JOIN answered
)
SELECT
    done.appointment_id,
    CASE WHEN $23::text IS NOT NULL THEN (
        SELECT fed.fed_seq FROM feed_put($23, 'appointment', done.appointment_id::text, 1, 'put', $24::bytea) AS fed
    ) END AS fed_seq
FROM done;

-- name: hold
-- $1 hold, $2 now, $3 held until, $4 office, $5 pool, $6 starts, $7 service, $8 duration, $9 the hold that this one replaces
-- or NULL, $10 holder or NULL, $11 how many holds may stand for a holder. Room is looked for before any seat is locked.
WITH wanted AS (
    SELECT slot.slot_id FROM slot
    WHERE slot.office_id = $4 AND slot.pool_id = $5 AND slot.start_at = ANY ($6::timestamptz[]) AND slot.open
      AND NOT EXISTS (SELECT FROM central_life WHERE awaited <> '{}')
      AND (SELECT hold_has_room($10::bytea, $2::timestamptz, $9::uuid, $11::int))
    ORDER BY slot.start_at
), picked AS (
    SELECT one.slot_id, one.seat_no
    FROM wanted CROSS JOIN LATERAL (
        SELECT seat.slot_id, seat.seat_no FROM seat
        WHERE seat.slot_id = wanted.slot_id AND NOT seat.over
          AND (seat.state = 'free'
               OR seat.state = 'held' AND (seat.hold_id = $9::uuid OR seat.held_until <= $2::timestamptz))
        ORDER BY (seat.hold_id = $9::uuid) IS NOT TRUE, seat.seat_no
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS one
), claimed AS (
    UPDATE seat SET state = 'held', hold_id = $1::uuid, held_until = $3::timestamptz
    FROM picked
    WHERE seat.slot_id = picked.slot_id AND seat.seat_no = picked.seat_no
      AND (SELECT count(*) FROM picked) = cardinality($6::timestamptz[])
    RETURNING seat.slot_id
), held AS (
    INSERT INTO hold (hold_id, office_id, pool_id, service_id, start_at, starts, duration_min, held_until, holder)
    SELECT $1::uuid, $4, $5, $7, ($6::timestamptz[])[1], $6::timestamptz[], $8, $3, $10::bytea
    WHERE EXISTS (SELECT FROM claimed)
    RETURNING hold_id
)
SELECT hold_id FROM held;

-- name: standing_holds
-- $1 holder, $2 now, $3 a hold that does not count or NULL
SELECT count(*) AS holds, min(held_until) AS first_ends_at FROM hold
WHERE holder = $1 AND held_until > $2 AND hold_id IS DISTINCT FROM $3::uuid;

-- name: extend
-- $1 hold, $2 now, $3 held until, $4 how many times in all, $5 how many times so far, as whoever asks has seen it: the same
-- wish sent twice extends once
WITH extended AS (
    UPDATE hold SET held_until = $3, extensions = extensions + 1
    WHERE hold_id = $1 AND held_until > $2 AND extensions < $4 AND extensions = $5
    RETURNING hold_id, office_id, pool_id, starts, held_until
), kept AS (
    UPDATE seat SET held_until = extended.held_until
    FROM extended JOIN slot ON slot.office_id = extended.office_id AND slot.pool_id = extended.pool_id
                           AND slot.start_at = ANY (extended.starts)
    WHERE seat.slot_id = slot.slot_id AND seat.hold_id = extended.hold_id
)
SELECT held_until FROM extended;

-- name: held
SELECT hold_id, office_id, pool_id, service_id, start_at, starts, duration_min, held_until, extensions
FROM hold WHERE hold_id = $1 AND held_until > $2;

-- name: release
-- $1 hold
WITH gone AS (
    DELETE FROM hold WHERE hold_id = $1 RETURNING hold_id, office_id, pool_id, starts
), freed AS (
    UPDATE seat SET state = 'free', hold_id = NULL, held_until = NULL
    FROM gone JOIN slot ON slot.office_id = gone.office_id AND slot.pool_id = gone.pool_id
                       AND slot.start_at = ANY (gone.starts)
    WHERE seat.slot_id = slot.slot_id AND seat.hold_id = gone.hold_id AND seat.state = 'held'
    RETURNING slot.office_id, slot.service_date
)
SELECT DISTINCT office_id, service_date FROM freed;

-- name: release_expired
-- $1 now, $2 how many at most. A hold that somebody is just confirming is left to them.
WITH gone AS (
    DELETE FROM hold WHERE hold_id = ANY (ARRAY(
        SELECT hold_id FROM hold WHERE held_until <= $1 ORDER BY held_until LIMIT $2 FOR UPDATE SKIP LOCKED
    ))
    RETURNING hold_id, office_id, pool_id, starts
), freed AS (
    UPDATE seat SET state = 'free', hold_id = NULL, held_until = NULL
    FROM gone JOIN slot ON slot.office_id = gone.office_id AND slot.pool_id = gone.pool_id
                       AND slot.start_at = ANY (gone.starts)
    WHERE seat.slot_id = slot.slot_id AND seat.hold_id = gone.hold_id AND seat.state = 'held'
    RETURNING slot.office_id, slot.service_date
)
SELECT (SELECT count(*) FROM gone) AS holds, (SELECT count(*) FROM freed) AS seats;

-- name: cancel
-- $1 appointment, $2 the version that was read, $3 now, $4 stream, $5 feed body, $6 mail or NULL, $7 letter.
-- The office hears of it only if it knows the appointment.
WITH cancelled AS (
    UPDATE appointment SET status = 'cancelled', version = version + 1, changed_at = $3
    WHERE appointment_id = $1 AND version = $2 AND status = 'booked'
    RETURNING appointment_id, version, office_id, pool_id, starts, fed_version, email
), freed AS (
    UPDATE seat SET state = 'free', appointment_id = NULL, lease_id = NULL
    FROM cancelled JOIN slot ON slot.office_id = cancelled.office_id AND slot.pool_id = cancelled.pool_id
                            AND slot.start_at = ANY (cancelled.starts)
    WHERE seat.slot_id = slot.slot_id AND seat.appointment_id = cancelled.appointment_id
    RETURNING seat.slot_id
), mailed AS (
    INSERT INTO mail (mail_id, kind, appointment_id, version, recipient, message, queued_at, next_at)
    SELECT $6::uuid, 'cancelled', appointment_id, version, email, $7::bytea, $3, $3
    FROM cancelled WHERE $6::uuid IS NOT NULL AND email IS NOT NULL
), done AS MATERIALIZED (
    SELECT cancelled.appointment_id, cancelled.version, cancelled.fed_version, (SELECT count(*) FROM freed) AS seats
    FROM cancelled
)
SELECT
    done.version,
    done.seats,
    CASE WHEN done.fed_version IS NOT NULL THEN (
        SELECT fed.fed_seq
        FROM feed_put($4, 'appointment', done.appointment_id::text, done.version, 'put', $5::bytea) AS fed
    ) END AS fed_seq
FROM done;

-- name: reschedule
-- $1 request, $2 fingerprint, $3 reply, $4 now, $5 appointment, $6 the version that was read, $7 office, $8 pool, $9 starts,
-- $10 hold or NULL, $11 service date, $12 whether the new office hears of it now, $13 streams in sorted order, $14 their feed
-- bodies, $15 which of them only if the office knows the appointment, $16 mail or NULL, $17 letter, $18 duration. Its own seats count as free, so that it can move by half its length; what it does not use any more is freed.
WITH old AS MATERIALIZED (
    SELECT appointment_id, version, office_id, pool_id, starts, fed_version
    FROM appointment
    WHERE appointment_id = $5::uuid AND version = $6 AND status = 'booked'
    FOR UPDATE
), wanted AS (
    SELECT slot.slot_id FROM slot
    WHERE slot.office_id = $7 AND slot.pool_id = $8 AND slot.start_at = ANY ($9::timestamptz[]) AND slot.open
      AND EXISTS (SELECT FROM old)
      AND NOT EXISTS (SELECT FROM central_life WHERE awaited <> '{}')
    ORDER BY slot.start_at
), picked AS (
    SELECT one.slot_id, one.seat_no
    FROM wanted CROSS JOIN LATERAL (
        SELECT seat.slot_id, seat.seat_no FROM seat
        WHERE seat.slot_id = wanted.slot_id
          AND (seat.state = 'free' AND NOT seat.over
               OR seat.state = 'held' AND (seat.hold_id = $10::uuid OR seat.held_until <= $4::timestamptz AND NOT seat.over)
               OR seat.state = 'booked' AND seat.appointment_id = $5::uuid)
        ORDER BY (seat.hold_id = $10::uuid) IS NOT TRUE, (seat.appointment_id = $5::uuid) IS NOT TRUE, seat.seat_no
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS one
), claimed AS (
    UPDATE seat SET state = 'booked', appointment_id = $5::uuid, hold_id = NULL, held_until = NULL
    FROM picked
    WHERE seat.slot_id = picked.slot_id AND seat.seat_no = picked.seat_no
      AND (SELECT count(*) FROM picked) = cardinality($9::timestamptz[])
    RETURNING seat.slot_id, seat.seat_no
), moved AS (
    UPDATE appointment SET
        office_id = $7, pool_id = $8, service_date = $11, slot_start_at = ($9::timestamptz[])[1], starts = $9,
        duration_min = $18, version = appointment.version + 1, changed_at = $4,
        fed_version = CASE WHEN $12::boolean THEN appointment.version + 1 END
    FROM old
    WHERE appointment.appointment_id = old.appointment_id AND EXISTS (SELECT FROM claimed)
    RETURNING appointment.appointment_id, appointment.version, appointment.email, old.fed_version AS was_fed
), freed AS (
    UPDATE seat SET state = 'free', appointment_id = NULL, lease_id = NULL
    FROM old JOIN slot ON slot.office_id = old.office_id AND slot.pool_id = old.pool_id AND slot.start_at = ANY (old.starts)
    WHERE seat.slot_id = slot.slot_id AND seat.appointment_id = old.appointment_id AND EXISTS (SELECT FROM moved)
      AND NOT EXISTS (SELECT FROM picked WHERE picked.slot_id = seat.slot_id AND picked.seat_no = seat.seat_no)
    RETURNING seat.slot_id
), answered AS (
    INSERT INTO booking_reply (request_id, fingerprint, reply, answered_at)
    SELECT $1::uuid, $2::bytea, $3::bytea, $4 FROM moved
    RETURNING request_id
), unheld AS (
    DELETE FROM hold WHERE hold_id = $10::uuid AND EXISTS (SELECT FROM moved)
), mailed AS (
    INSERT INTO mail (mail_id, kind, appointment_id, version, recipient, message, queued_at, next_at)
    SELECT $16::uuid, 'moved', appointment_id, version, email, $17::bytea, $4, $4
    FROM moved WHERE $16::uuid IS NOT NULL AND email IS NOT NULL
), done AS MATERIALIZED (
    SELECT moved.appointment_id, moved.version, moved.was_fed, (SELECT count(*) FROM freed) AS freed
    FROM moved CROSS JOIN answered
), news AS MATERIALIZED (
    SELECT done.appointment_id, done.version, one.stream, one.body
    FROM done CROSS JOIN unnest($13::text[], $14::bytea[], $15::boolean[]) WITH ORDINALITY AS one (stream, body, if_fed, n)
    WHERE NOT one.if_fed OR done.was_fed IS NOT NULL
    ORDER BY one.n
), fed AS MATERIALIZED (
    SELECT (
        SELECT put.fed_seq FROM feed_put(news.stream, 'appointment', news.appointment_id::text, news.version, 'put', news.body) AS put
    ) AS fed_seq
    FROM news
)
SELECT done.version, (SELECT count(*) FROM fed) AS fed FROM done;

-- name: answered
-- $1 request
SELECT fingerprint, reply FROM booking_reply WHERE request_id = $1::uuid;

-- name: why_not
-- What a claim that found no seats needs to know, in one snapshot: was this request answered already, and could the slots
-- give a seat each at all, or were they only locked? $1 request, $2 now, $3 office, $4 pool, $5 starts, $6 hold or NULL
SELECT
    (SELECT fingerprint FROM booking_reply WHERE request_id = $1::uuid) AS fingerprint,
    (SELECT reply FROM booking_reply WHERE request_id = $1::uuid) AS reply,
    (
        SELECT count(DISTINCT slot.slot_id) FROM slot JOIN seat USING (slot_id)
        WHERE slot.office_id = $3 AND slot.pool_id = $4 AND slot.start_at = ANY ($5::timestamptz[]) AND slot.open
          AND (seat.state = 'free' AND NOT seat.over
               OR seat.state = 'held' AND (seat.hold_id = $6::uuid OR seat.held_until <= $2::timestamptz AND NOT seat.over))
    ) = cardinality($5::timestamptz[]) AS claimable,
    (
        SELECT count(*) FROM slot
        WHERE slot.office_id = $3 AND slot.pool_id = $4 AND slot.start_at = ANY ($5::timestamptz[]) AND slot.open
    ) = cardinality($5::timestamptz[]) AS planned,
    EXISTS (SELECT FROM central_life WHERE awaited <> '{}') AS recovering;

-- name: free_seats
-- $1 office, $2 service dates, $3 now
SELECT slot.service_date, slot.pool_id, slot.start_at, seats.free
FROM slot CROSS JOIN LATERAL (
    SELECT count(*) AS free FROM seat
    WHERE seat.slot_id = slot.slot_id AND NOT seat.over
      AND (seat.state = 'free' OR seat.state = 'held' AND seat.held_until <= $3)
) AS seats
WHERE slot.office_id = $1 AND slot.service_date = ANY ($2::date[]) AND slot.open
ORDER BY slot.service_date, slot.pool_id, slot.start_at;

-- name: is_recovering
SELECT awaited <> '{}' FROM central_life;
