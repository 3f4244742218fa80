-- Deliveries by lane: what waits, what is late, what is under way.
--
-- Result: one row a lane: lane, waiting, due, in_flight, late (interval by which the oldest due row is late, or NULL).
SELECT d.endpoint AS lane,
    count(*) AS waiting,
    count(*) FILTER (WHERE d.next_check_at <= now()) AS due,
    count(*) FILTER (WHERE d.lease_expires_at > now()) AS in_flight,
    now() - min(d.next_check_at) FILTER (
        WHERE d.next_check_at <= now() AND d.next_check_at > '-infinity'
            AND (d.lease_expires_at IS NULL OR d.lease_expires_at <= now())
    ) AS late
FROM reconciled.deliveries AS d
WHERE d.next_check_at IS NOT NULL
GROUP BY d.endpoint
ORDER BY d.endpoint;
