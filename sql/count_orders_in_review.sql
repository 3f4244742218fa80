-- Orders that wait for a human, by reason: counts those that wait longest, to a bound.
--
-- Parameters: $1 integer count to at most
-- Result: review_reason, count.
SELECT bounded.review_reason, count(*) AS count
FROM (
    SELECT o.review_reason
    FROM reconciled.orders AS o
    WHERE o.review_reason IS NOT NULL
    ORDER BY o.review_at, o.id
    LIMIT $1::integer
) AS bounded
GROUP BY bounded.review_reason
ORDER BY bounded.review_reason;
