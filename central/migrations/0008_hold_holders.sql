-- Where a hold was asked from, as an HMAC of the address under a key that never leaves central; gone with the hold.
ALTER TABLE hold ADD COLUMN holder bytea;

CREATE INDEX hold_by_holder ON hold (holder, held_until) WHERE holder IS NOT NULL;

-- Whether one more hold may stand for a holder. One at a time, until its hold is committed; the count is a statement of its
-- own, so it sees what was committed while this one waited.
CREATE FUNCTION hold_has_room(p_holder bytea, p_now timestamptz, p_replaced uuid, p_most int) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    standing bigint;
BEGIN
    IF p_holder IS NULL THEN
        RETURN true;
    END IF;
    PERFORM pg_advisory_xact_lock(1936484212, hashtext(encode(p_holder, 'hex')));
    SELECT count(*) INTO standing FROM hold
    WHERE holder = p_holder AND held_until > p_now AND hold_id IS DISTINCT FROM p_replaced;
    RETURN standing < p_most;
END
$$;
