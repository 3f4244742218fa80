-- Orders by status and reason for review.
--
-- Result: status, review_reason (or NULL), count.
SELECT o.status, o.review_reason, count(*) AS count
FROM reconciled.orders AS o
GROUP BY o.status, o.review_reason
ORDER BY o.status, o.review_reason NULLS FIRST;
