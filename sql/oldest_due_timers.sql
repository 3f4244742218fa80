-- The timers that are due longest, of the given lanes, for people.
--
-- Parameters: $1 text[] lanes, $2 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.timer_json(t)
FROM (
    SELECT due.id, due.next_check_at
    FROM unnest($1::text[]) AS lane (name)
    CROSS JOIN LATERAL (
        SELECT t.id, t.next_check_at
        FROM reconciled.timers AS t
        WHERE t.lane = lane.name AND t.next_check_at IS NOT NULL AND t.next_check_at <= now()
        ORDER BY t.next_check_at, t.id
        LIMIT $2::integer
    ) AS due
    ORDER BY due.next_check_at, due.id
    LIMIT $2::integer
) AS oldest
JOIN reconciled.timers AS t ON t.id = oldest.id
ORDER BY oldest.next_check_at, oldest.id;
