-- The lanes in which deliveries wait although no configuration names them: nobody will ever take those.
--
-- Parameters: $1 text[] lanes that are configured, $2 integer how many at most
-- Result: lane.
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
SELECT lane_in_use.lane
FROM lane_in_use
WHERE lane_in_use.lane IS NOT NULL AND lane_in_use.lane <> ALL ($1::text[])
LIMIT $2::integer;
