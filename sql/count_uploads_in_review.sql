-- Uploads that wait for a human, by reason: counts those that wait longest, to a bound.
--
-- Parameters: $1 integer count to at most
-- Result: review_reason, count.
SELECT bounded.review_reason, count(*) AS count
FROM (
    SELECT u.review_reason
    FROM reconciled.uploads AS u
    WHERE u.review_reason IS NOT NULL
    ORDER BY u.review_at, u.id
    LIMIT $1::integer
) AS bounded
GROUP BY bounded.review_reason
ORDER BY bounded.review_reason;
