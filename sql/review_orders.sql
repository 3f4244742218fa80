-- Orders that wait for a human, those that wait longest first.
--
-- Parameters: $1 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(o)
FROM reconciled.orders AS o
WHERE o.review_reason IS NOT NULL
ORDER BY o.review_at, o.id
LIMIT $1::integer;
