-- Deliveries for people and programs, by id.
--
-- Parameters: $1 text status (NULL: any), $2 boolean only those due now, $3 text after this id ('': from the start),
--             $4 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(d)
FROM reconciled.deliveries AS d
WHERE ($1::text IS NULL OR d.status = $1::text)
    AND (NOT $2::boolean OR d.next_check_at <= now())
    AND d.id > COALESCE(reconciled.delivery_id($3::text), 0)
ORDER BY d.id
LIMIT $4::integer;
