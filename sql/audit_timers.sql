-- Timers that cannot make progress.
--
-- Parameters: $1 text[] lanes that are configured
-- Result: finding, lane (or NULL), row_id (an example, or NULL), count.
--   adrift        active with a NULL next_check_at: nobody will ever run it
--   unclaimed     due for over a minute in a lane that may run, and nobody holds it
--   unconfigured  waits in a lane that no configuration names
WITH RECURSIVE lane_in_use AS (
    -- One index probe a lane instead of a scan of all that wait.
    (
        SELECT t.lane
        FROM reconciled.timers AS t
        WHERE t.next_check_at IS NOT NULL
        ORDER BY t.lane
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT t.lane
        FROM reconciled.timers AS t
        WHERE t.next_check_at IS NOT NULL AND t.lane > lane_in_use.lane
        ORDER BY t.lane
        LIMIT 1
    )
    FROM lane_in_use
    WHERE lane_in_use.lane IS NOT NULL
)
SELECT 'adrift' AS finding, NULL::text AS lane, min(t.id) AS row_id, count(*) AS count
FROM reconciled.timers AS t
WHERE t.status = 'active' AND t.next_check_at IS NULL
HAVING count(*) > 0
UNION ALL
SELECT 'unconfigured', lane_in_use.lane, NULL, NULL
FROM lane_in_use
WHERE lane_in_use.lane IS NOT NULL AND lane_in_use.lane <> ALL ($1::text[])
UNION ALL
SELECT 'unclaimed', lane_in_use.lane, oldest.id, NULL
FROM lane_in_use
LEFT JOIN reconciled.lanes AS l ON l.name = lane_in_use.lane
CROSS JOIN LATERAL (
    SELECT t.id
    FROM reconciled.timers AS t
    WHERE t.lane = lane_in_use.lane AND t.next_check_at IS NOT NULL
        AND t.next_check_at < now() - interval '1 minute'
        AND (t.lease_expires_at IS NULL OR t.lease_expires_at < now() - interval '1 minute')
    ORDER BY t.next_check_at, t.id
    LIMIT 1
) AS oldest
WHERE lane_in_use.lane = ANY ($1::text[]) AND l.paused_at IS NULL
    AND (l.hold_until IS NULL OR l.hold_until <= now());
