-- Uploads by status and reason for review.
--
-- Result: status, review_reason (or NULL), count.
SELECT u.status, u.review_reason, count(*) AS count
FROM reconciled.uploads AS u
GROUP BY u.status, u.review_reason
ORDER BY u.status, u.review_reason NULLS FIRST;
