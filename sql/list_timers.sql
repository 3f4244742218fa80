-- Timers for people and programs, by id.
--
-- Parameters: $1 text status (NULL: any), $2 boolean only those due now, $3 text after this id ('': from the start),
--             $4 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.timer_json(t)
FROM reconciled.timers AS t
WHERE ($1::text IS NULL OR t.status = $1::text)
    AND (NOT $2::boolean OR t.next_check_at <= now())
    AND t.id > $3::text
ORDER BY t.id
LIMIT $4::integer;
