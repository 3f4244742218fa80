-- Deliveries by status and reason for review.
--
-- Result: status, review_reason (or NULL), count.
SELECT d.status, d.review_reason, count(*) AS count
FROM reconciled.deliveries AS d
GROUP BY d.status, d.review_reason
ORDER BY d.status, d.review_reason NULLS FIRST;
