-- The orders that are due longest, of the given lanes, for people.
--
-- Parameters: $1 text[] lanes, $2 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(o)
FROM (
    SELECT due.id, due.next_check_at
    FROM unnest($1::text[]) AS lane (name)
    CROSS JOIN LATERAL (
        SELECT o.id, o.next_check_at
        FROM reconciled.orders AS o
        WHERE o.gateway = lane.name AND o.next_check_at IS NOT NULL AND o.next_check_at <= now()
        ORDER BY o.next_check_at, o.id
        LIMIT $2::integer
    ) AS due
    ORDER BY due.next_check_at, due.id
    LIMIT $2::integer
) AS oldest
JOIN reconciled.orders AS o ON o.id = oldest.id
ORDER BY oldest.next_check_at, oldest.id;
