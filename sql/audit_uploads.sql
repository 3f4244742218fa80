-- Uploads that cannot make progress.
--
-- Parameters: $1 text[] lanes that are configured
-- Result: finding, lane (or NULL), row_id (an example, or NULL), count.
--   adrift        receiving or merging with a NULL next_check_at: nobody will ever look at it
--   unreclaimed   complete or expired with a NULL next_check_at and chunks that were never reclaimed: they stay, and
--                 their name is not free. One in review waits for a human, and is none.
--   unclaimed     due for over a minute in a lane that may run, and nobody holds it
--   unconfigured  waits in a lane that no configuration names
WITH RECURSIVE lane_in_use AS (
    -- One index probe a lane instead of a scan of all that wait.
    (
        SELECT u.store
        FROM reconciled.uploads AS u
        WHERE u.next_check_at IS NOT NULL
        ORDER BY u.store
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT u.store
        FROM reconciled.uploads AS u
        WHERE u.next_check_at IS NOT NULL AND u.store > lane_in_use.store
        ORDER BY u.store
        LIMIT 1
    )
    FROM lane_in_use
    WHERE lane_in_use.store IS NOT NULL
)
SELECT 'adrift' AS finding, NULL::text AS lane, min(u.id) AS row_id, count(*) AS count
FROM reconciled.uploads AS u
WHERE u.status IN ('receiving', 'merging') AND u.next_check_at IS NULL
HAVING count(*) > 0
UNION ALL
SELECT 'unreclaimed', NULL, min(u.id), count(*)
FROM reconciled.uploads AS u
WHERE u.reclaimed_at IS NULL AND u.next_check_at IS NULL AND u.status IN ('complete', 'expired')
    AND u.review_reason IS NULL
HAVING count(*) > 0
UNION ALL
SELECT 'unconfigured', lane_in_use.store, NULL, NULL
FROM lane_in_use
WHERE lane_in_use.store IS NOT NULL AND lane_in_use.store <> ALL ($1::text[])
UNION ALL
SELECT 'unclaimed', lane_in_use.store, oldest.id, NULL
FROM lane_in_use
LEFT JOIN reconciled.lanes AS l ON l.name = lane_in_use.store
CROSS JOIN LATERAL (
    SELECT u.id
    FROM reconciled.uploads AS u
    WHERE u.store = lane_in_use.store AND u.next_check_at IS NOT NULL
        AND u.next_check_at < now() - interval '1 minute'
        AND (u.lease_expires_at IS NULL OR u.lease_expires_at < now() - interval '1 minute')
    ORDER BY u.next_check_at, u.id
    LIMIT 1
) AS oldest
WHERE lane_in_use.store = ANY ($1::text[]) AND l.paused_at IS NULL
    AND (l.hold_until IS NULL OR l.hold_until <= now());
