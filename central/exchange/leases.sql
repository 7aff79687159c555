-- name: lendable
-- $1 office, $2 first and $3 last service date. Seats above the capacity are never lent.
SELECT slot.service_date, slot.slot_id, slot.start_at, slot.duration_min, offered.services, seats.capacity, seats.leased,
       coalesce(seats.free_numbers, '{}') AS free_numbers
FROM slot JOIN pool ON pool.office_id = slot.office_id AND pool.id = slot.pool_id
CROSS JOIN LATERAL (
    SELECT array_agg(service.id ORDER BY service.position) AS services
    FROM service WHERE service.id = ANY (pool.services) AND service.bookable
) AS offered
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT seat.over) AS capacity, count(*) FILTER (WHERE seat.state = 'leased') AS leased,
           array_agg(seat.seat_no ORDER BY seat.seat_no DESC) FILTER (WHERE seat.state = 'free' AND NOT seat.over) AS free_numbers
    FROM seat WHERE seat.slot_id = slot.slot_id
) AS seats
WHERE slot.office_id = $1 AND slot.service_date BETWEEN $2 AND $3 AND slot.open AND offered.services IS NOT NULL
ORDER BY slot.start_at;

-- name: holders
-- Offices that have a node to lend to.
SELECT a.office, o.time_zone FROM office_authority a JOIN office o ON o.id = a.office ORDER BY o.position, o.id;

-- name: holder_of
SELECT office FROM lease WHERE lease_id = $1;

-- name: unsettled
SELECT lease_id FROM lease WHERE settled_at IS NULL ORDER BY lease_id;

-- name: settled
UPDATE lease SET settled_at = $2 WHERE lease_id = $1;

-- name: statements
-- $1 now, $2 settled since. Each seat counts once: granted = sold + returned + reclaimed + lapsed + outstanding.
SELECT
    l.lease_id, l.office, l.fence, l.lent_at, l.settled_at, a.epoch AS present_epoch, l.body,
    account.first_at, account.last_at, account.granted, account.sold, account.returned, account.reclaimed, account.lapsed,
    account.outstanding
FROM lease l LEFT JOIN office_authority a ON a.office = l.office
CROSS JOIN LATERAL (
    SELECT
        min(s.start_at) AS first_at, max(s.start_at) AS last_at, count(*) AS granted,
        count(*) FILTER (WHERE s.outcome = 'sold') AS sold,
        count(*) FILTER (WHERE s.outcome = 'returned') AS returned,
        count(*) FILTER (WHERE s.outcome = 'reclaimed') AS reclaimed,
        count(*) FILTER (WHERE s.outcome IS NULL AND s.start_at <= $1) AS lapsed,
        count(*) FILTER (WHERE s.outcome IS NULL AND s.start_at > $1) AS outstanding
    FROM lease_seat s WHERE s.lease_id = l.lease_id
) AS account
WHERE l.settled_at IS NULL OR l.settled_at > $2
ORDER BY l.office, account.first_at, l.lease_id;
