-- Timers by status and reason for review.
--
-- Result: status, review_reason (or NULL), count.
SELECT t.status, t.review_reason, count(*) AS count
FROM reconciled.timers AS t
GROUP BY t.status, t.review_reason
ORDER BY t.status, t.review_reason NULLS FIRST;
