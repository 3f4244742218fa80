-- Due deliveries by lane, for metrics and the overview: counts to a bound, so that a backlog of millions costs no more than a
-- small one.
--
-- Parameters: $1 text[] lanes, $2 integer count to at most
-- Result: lane, due, late (interval by which the oldest due row that nobody holds is late, or NULL).
--
-- Pollers take the oldest first, and what they hold stays due: in a backlog the oldest rows are held, and late is looked for
-- among as many as are counted. If all of those are held, it is the last one's, and who waits behind it is that late at most.
SELECT input.name AS lane, due.count, now() - oldest.next_check_at AS late
FROM unnest($1::text[]) AS input (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS count
    FROM (
        SELECT 1
        FROM reconciled.deliveries AS d
        WHERE d.endpoint = input.name AND d.next_check_at IS NOT NULL AND d.next_check_at <= now()
        ORDER BY d.next_check_at
        LIMIT $2::integer
    ) AS bounded
) AS due
LEFT JOIN LATERAL (
    SELECT bounded.next_check_at
    FROM (
        SELECT d.next_check_at, d.lease_expires_at, row_number() OVER (ORDER BY d.next_check_at) AS place
        FROM reconciled.deliveries AS d
        WHERE d.endpoint = input.name AND d.next_check_at IS NOT NULL
            AND d.next_check_at > '-infinity' AND d.next_check_at <= now()
        ORDER BY d.next_check_at
        LIMIT $2::integer
    ) AS bounded
    WHERE bounded.lease_expires_at IS NULL OR bounded.lease_expires_at <= now() OR bounded.place = $2::integer
    ORDER BY bounded.next_check_at
    LIMIT 1
) AS oldest ON true;
