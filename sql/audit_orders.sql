-- Orders that cannot make progress.
--
-- Parameters: $1 text[] lanes that are configured
-- Result: finding, lane (or NULL), row_id (an example, or NULL), count.
--   adrift        pending with a NULL next_check_at (not put to rest by a cut-off): nobody will ever ask about it
--   unclaimed     due for over a minute in a lane that may run, and nobody holds it
--   unconfigured  waits in a lane that no configuration names
WITH RECURSIVE lane_in_use AS (
    -- One index probe a lane instead of a scan of all that wait.
    (
        SELECT o.gateway
        FROM reconciled.orders AS o
        WHERE o.next_check_at IS NOT NULL
        ORDER BY o.gateway
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT o.gateway
        FROM reconciled.orders AS o
        WHERE o.next_check_at IS NOT NULL AND o.gateway > lane_in_use.gateway
        ORDER BY o.gateway
        LIMIT 1
    )
    FROM lane_in_use
    WHERE lane_in_use.gateway IS NOT NULL
)
SELECT 'adrift' AS finding, NULL::text AS lane, min(o.id) AS row_id, count(*) AS count
FROM reconciled.orders AS o
WHERE o.status = 'pending' AND o.next_check_at IS NULL
    AND NOT COALESCE(o.progress @> '{"cut_off": true}' AND o.last_verdict = 'settled', false)
HAVING count(*) > 0
UNION ALL
SELECT 'unconfigured', lane_in_use.gateway, NULL, NULL
FROM lane_in_use
WHERE lane_in_use.gateway IS NOT NULL AND lane_in_use.gateway <> ALL ($1::text[])
UNION ALL
SELECT 'unclaimed', lane_in_use.gateway, oldest.id, NULL
FROM lane_in_use
LEFT JOIN reconciled.lanes AS l ON l.name = lane_in_use.gateway
CROSS JOIN LATERAL (
    SELECT o.id
    FROM reconciled.orders AS o
    WHERE o.gateway = lane_in_use.gateway AND o.next_check_at IS NOT NULL
        AND o.next_check_at < now() - interval '1 minute'
        AND (o.lease_expires_at IS NULL OR o.lease_expires_at < now() - interval '1 minute')
    ORDER BY o.next_check_at, o.id
    LIMIT 1
) AS oldest
WHERE lane_in_use.gateway = ANY ($1::text[]) AND l.paused_at IS NULL
    AND (l.hold_until IS NULL OR l.hold_until <= now());
