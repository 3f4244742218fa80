-- Due deliveries by lane, for metrics: counts to a bound, so that a backlog of millions costs no more than a small one.
--
-- Parameters: $1 text[] lanes, $2 integer count to at most
-- Result: lane, due.
SELECT input.name AS lane, due.count
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
) AS due;
