-- Uploads for people and programs, by id.
--
-- Parameters: $1 text status (NULL: any), $2 boolean only those due now, $3 text after this id ('': from the start),
--             $4 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(u)
FROM reconciled.uploads AS u
WHERE ($1::text IS NULL OR u.status = $1::text)
    AND (NOT $2::boolean OR u.next_check_at <= now())
    AND u.id > $3::text
ORDER BY u.id
LIMIT $4::integer;
