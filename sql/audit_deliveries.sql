-- Deliveries that cannot make progress.
--
-- Parameters: $1 text[] lanes that are configured
-- Result: finding, lane (or NULL), row_id (an example, or NULL), count.
--   adrift        pending with a NULL next_check_at: nobody will ever make it
--   unclaimed     due for over a minute in a lane that may run, and nobody holds it
--   unconfigured  waits for an endpoint that no configuration names
WITH RECURSIVE lane_in_use AS (
    -- One index probe a lane instead of a scan of all that wait.
    (
        SELECT d.endpoint AS lane
        FROM reconciled.deliveries AS d
        WHERE d.next_check_at IS NOT NULL
        ORDER BY d.endpoint
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT d.endpoint
        FROM reconciled.deliveries AS d
        WHERE d.next_check_at IS NOT NULL AND d.endpoint > lane_in_use.lane
        ORDER BY d.endpoint
        LIMIT 1
    )
    FROM lane_in_use
    WHERE lane_in_use.lane IS NOT NULL
)
SELECT 'adrift' AS finding, NULL::text AS lane, min(d.id)::text AS row_id, count(*) AS count
FROM reconciled.deliveries AS d
WHERE d.status = 'pending' AND d.next_check_at IS NULL
HAVING count(*) > 0
UNION ALL
SELECT 'unconfigured', lane_in_use.lane, NULL, NULL
FROM lane_in_use
WHERE lane_in_use.lane IS NOT NULL AND lane_in_use.lane <> ALL ($1::text[])
UNION ALL
SELECT 'unclaimed', lane_in_use.lane, oldest.id::text, NULL
FROM lane_in_use
LEFT JOIN reconciled.lanes AS l ON l.name = lane_in_use.lane
CROSS JOIN LATERAL (
    SELECT d.id
    FROM reconciled.deliveries AS d
    WHERE d.endpoint = lane_in_use.lane AND d.next_check_at IS NOT NULL
        AND d.next_check_at < now() - interval '1 minute'
        AND (d.lease_expires_at IS NULL OR d.lease_expires_at < now() - interval '1 minute')
    ORDER BY d.next_check_at, d.id
    LIMIT 1
) AS oldest
WHERE lane_in_use.lane = ANY ($1::text[]) AND l.paused_at IS NULL
    AND (l.hold_until IS NULL OR l.hold_until <= now());
