-- Orders by lane: what waits, what is late, what is under way.
--
-- Result: one row a lane: lane, waiting, due, in_flight, late (interval by which the oldest due row is late, or NULL).
SELECT o.gateway AS lane,
    count(*) AS waiting,
    count(*) FILTER (WHERE o.next_check_at <= now()) AS due,
    count(*) FILTER (WHERE o.lease_expires_at > now()) AS in_flight,
    now() - min(o.next_check_at) FILTER (
        WHERE o.next_check_at <= now() AND o.next_check_at > '-infinity'
            AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= now())
    ) AS late
FROM reconciled.orders AS o
WHERE o.next_check_at IS NOT NULL
GROUP BY o.gateway
ORDER BY o.gateway;
