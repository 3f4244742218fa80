-- Uploads that wait for a human, by reason.
--
-- Result: review_reason, count.
SELECT u.review_reason, count(*) AS count
FROM reconciled.uploads AS u
WHERE u.review_reason IS NOT NULL
GROUP BY u.review_reason
ORDER BY u.review_reason;
