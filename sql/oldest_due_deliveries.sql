-- The deliveries that are due longest, of the given lanes, for people.
--
-- Parameters: $1 text[] lanes, $2 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(d)
FROM (
    SELECT due.id, due.next_check_at
    FROM unnest($1::text[]) AS lane (name)
    CROSS JOIN LATERAL (
        SELECT d.id, d.next_check_at
        FROM reconciled.deliveries AS d
        WHERE d.endpoint = lane.name AND d.next_check_at IS NOT NULL AND d.next_check_at <= now()
        ORDER BY d.next_check_at, d.id
        LIMIT $2::integer
    ) AS due
    ORDER BY due.next_check_at, due.id
    LIMIT $2::integer
) AS oldest
JOIN reconciled.deliveries AS d ON d.id = oldest.id
ORDER BY oldest.next_check_at, oldest.id;
