-- The uploads that are due longest, of the given lanes, for people.
--
-- Parameters: $1 text[] lanes, $2 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(u)
FROM (
    SELECT due.id, due.next_check_at
    FROM unnest($1::text[]) AS lane (name)
    CROSS JOIN LATERAL (
        SELECT u.id, u.next_check_at
        FROM reconciled.uploads AS u
        WHERE u.store = lane.name AND u.next_check_at IS NOT NULL AND u.next_check_at <= now()
        ORDER BY u.next_check_at, u.id
        LIMIT $2::integer
    ) AS due
    ORDER BY due.next_check_at, due.id
    LIMIT $2::integer
) AS oldest
JOIN reconciled.uploads AS u ON u.id = oldest.id
ORDER BY oldest.next_check_at, oldest.id;
