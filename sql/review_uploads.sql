-- Uploads that wait for a human, those that wait longest first.
--
-- Parameters: $1 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(u)
FROM reconciled.uploads AS u
WHERE u.review_reason IS NOT NULL
ORDER BY u.review_at, u.id
LIMIT $1::integer;
