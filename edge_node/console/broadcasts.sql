-- name: insert_broadcast
INSERT INTO broadcast (id, text, posted_by, posted_at, until_at)
VALUES (:id, :text, :posted_by, :posted_at, :until_at)
ON CONFLICT (id) DO NOTHING;

-- name: broadcasts
-- whole table: at boot, what was told in the last two days
SELECT id, text, posted_by, posted_at, until_at FROM broadcast ORDER BY posted_at;

-- name: end_broadcast
UPDATE broadcast SET until_at = :until_at WHERE id = :id;

-- name: forget_broadcasts
-- whole table: at boot and when one is told, what was told in the last two days
DELETE FROM broadcast WHERE until_at < :before;
