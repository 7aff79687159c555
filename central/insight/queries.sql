-- name: heads
-- The last row of each stream that offices follow.
SELECT stream, head FROM stream_head;
