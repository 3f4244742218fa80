-- Timers that wait for a human, those that wait longest first.
--
-- Parameters: $1 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.timer_json(t)
FROM reconciled.timers AS t
WHERE t.review_reason IS NOT NULL
ORDER BY t.review_at, t.id
LIMIT $1::integer;
