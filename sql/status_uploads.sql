-- Uploads by lane: what waits, what is late, what is under way.
--
-- Result: one row a lane: lane, waiting, due, in_flight, late (interval by which the oldest due row is late, or NULL).
SELECT u.store AS lane,
    count(*) AS waiting,
    count(*) FILTER (WHERE u.next_check_at <= now()) AS due,
    count(*) FILTER (WHERE u.lease_expires_at > now()) AS in_flight,
    now() - min(u.next_check_at) FILTER (
        WHERE u.next_check_at <= now() AND u.next_check_at > '-infinity'
            AND (u.lease_expires_at IS NULL OR u.lease_expires_at <= now())
    ) AS late
FROM reconciled.uploads AS u
WHERE u.next_check_at IS NOT NULL
GROUP BY u.store
ORDER BY u.store;
