-- Orders for people and programs, by id.
--
-- Parameters: $1 text status (NULL: any), $2 boolean only those due now, $3 text after this id ('': from the start),
--             $4 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(o)
FROM reconciled.orders AS o
WHERE ($1::text IS NULL OR o.status = $1::text)
    AND (NOT $2::boolean OR o.next_check_at <= now())
    AND o.id > $3::text
ORDER BY o.id
LIMIT $4::integer;
