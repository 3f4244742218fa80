-- Timers by lane: what waits, what is late, what is under way.
--
-- Result: one row a lane: lane, waiting, due, in_flight, late (interval by which the oldest due row is late, or NULL).
SELECT t.lane,
    count(*) AS waiting,
    count(*) FILTER (WHERE t.next_check_at <= now()) AS due,
    count(*) FILTER (WHERE t.lease_expires_at > now()) AS in_flight,
    now() - min(t.next_check_at) FILTER (
        WHERE t.next_check_at <= now() AND t.next_check_at > '-infinity'
            AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= now())
    ) AS late
FROM reconciled.timers AS t
WHERE t.next_check_at IS NOT NULL
GROUP BY t.lane
ORDER BY t.lane;
