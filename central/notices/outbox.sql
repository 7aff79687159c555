-- Rows are written by the statements that change an appointment (booking/seats.sql). Here they leave.

-- name: take
-- $1 now, $2 how many, $3 most attempts. What is taken is `sending` before a byte goes out.
UPDATE mail SET state = 'sending', attempts = attempts + 1, next_at = $1 + interval '15 minutes'
WHERE mail_id = ANY (ARRAY(
    SELECT mail_id FROM mail
    WHERE state = 'queued' AND next_at <= $1 AND attempts < $3
    ORDER BY next_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
))
RETURNING mail_id, kind, recipient, message, attempts;

-- name: sent
UPDATE mail SET state = 'sent', ended_at = $2, recipient = NULL, message = NULL, problem = ''
WHERE mail_id = $1 AND state = 'sending';

-- name: again
-- $1 mail, $2 next try, $3 problem: the server certainly did not take it.
UPDATE mail SET state = 'queued', next_at = $2, problem = $3 WHERE mail_id = $1 AND state = 'sending';

-- name: give_up
-- $1 mail, $2 now, $3 state (failed, unsure, dropped), $4 problem
UPDATE mail SET state = $3, ended_at = $2, recipient = NULL, message = NULL, problem = $4
WHERE mail_id = $1 AND state = 'sending';

-- name: abandoned
-- $1 now: sending for a quarter of an hour: the process that had it is gone, and nobody knows whether the server took it.
UPDATE mail SET state = 'unsure', ended_at = $1, recipient = NULL, message = NULL, problem = 'interrupted'
WHERE state = 'sending' AND next_at <= $1
RETURNING mail_id;

-- name: waiting
SELECT count(*) AS waiting, min(queued_at) AS oldest FROM mail WHERE state IN ('queued', 'sending');
