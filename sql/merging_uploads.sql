-- Uploads that are being merged, those that wait longest first: under way they are due, so that they are found among these.
--
-- Parameters: $1 text[] lanes, $2 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(u)
FROM (
    SELECT due.id, due.next_check_at
    FROM unnest($1::text[]) AS lane (name)
    CROSS JOIN LATERAL (
        SELECT u.id, u.status, u.next_check_at
        FROM reconciled.uploads AS u
        WHERE u.store = lane.name AND u.next_check_at IS NOT NULL AND u.next_check_at <= now()
        ORDER BY u.next_check_at, u.id
        LIMIT 10000
    ) AS due
    WHERE due.status = 'merging'
    ORDER BY due.next_check_at, due.id
    LIMIT $2::integer
) AS merging
JOIN reconciled.uploads AS u ON u.id = merging.id
ORDER BY merging.next_check_at, merging.id;
