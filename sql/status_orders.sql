-- Orders by lane: what waits, what is late, what is under way. Counts to a bound, so that millions cost no more than a few;
-- run after read_by_index.sql.
--
-- Parameters: $1 text[] lanes, $2 integer count to at most
-- Result: one row a lane:
--   lane
--   waiting    those that are not at rest
--   due        those that are due now, also those under way
--   in_flight  those of the counted due ones that a poller holds
--   late       interval by which the oldest due one that nobody holds is late, or NULL
--
-- Pollers take the oldest first, and what they hold stays due: late is looked for behind all that are held, which are as many
-- as pollers check at a time, however long the backlog is.
SELECT input.name AS lane, due.count + later.count AS waiting, due.count AS due, due.in_flight,
    now() - oldest.next_check_at AS late
FROM unnest($1::text[]) AS input (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, count(*) FILTER (WHERE bounded.lease_expires_at > now()) AS in_flight
    FROM (
        SELECT o.lease_expires_at
        FROM reconciled.orders AS o
        WHERE o.gateway = input.name AND o.next_check_at IS NOT NULL AND o.next_check_at <= now()
        ORDER BY o.next_check_at
        LIMIT $2::integer
    ) AS bounded
) AS due
CROSS JOIN LATERAL (
    SELECT count(*) AS count
    FROM (
        SELECT 1
        FROM reconciled.orders AS o
        WHERE o.gateway = input.name AND o.next_check_at IS NOT NULL AND o.next_check_at > now()
        ORDER BY o.next_check_at
        LIMIT $2::integer - due.count
    ) AS bounded
) AS later
LEFT JOIN LATERAL (
    SELECT o.next_check_at
    FROM reconciled.orders AS o
    WHERE o.gateway = input.name AND o.next_check_at IS NOT NULL
        AND o.next_check_at > '-infinity' AND o.next_check_at <= now()
        AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= now())
    ORDER BY o.next_check_at
    LIMIT 1
) AS oldest ON true
ORDER BY input.name;
