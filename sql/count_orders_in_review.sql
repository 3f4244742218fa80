-- Orders that wait for a human, by reason.
--
-- Result: review_reason, count.
SELECT o.review_reason, count(*) AS count
FROM reconciled.orders AS o
WHERE o.review_reason IS NOT NULL
GROUP BY o.review_reason
ORDER BY o.review_reason;
