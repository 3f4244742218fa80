-- Deliveries that wait for a human, those that wait longest first.
--
-- Parameters: $1 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(d)
FROM reconciled.deliveries AS d
WHERE d.review_reason IS NOT NULL
ORDER BY d.review_at, d.id
LIMIT $1::integer;
