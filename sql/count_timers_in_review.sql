-- Timers that wait for a human, by reason: counts those that wait longest, to a bound.
--
-- Parameters: $1 integer count to at most
-- Result: review_reason, count.
SELECT bounded.review_reason, count(*) AS count
FROM (
    SELECT t.review_reason
    FROM reconciled.timers AS t
    WHERE t.review_reason IS NOT NULL
    ORDER BY t.review_at, t.id
    LIMIT $1::integer
) AS bounded
GROUP BY bounded.review_reason
ORDER BY bounded.review_reason;
