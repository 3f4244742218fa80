-- Timers that wait for a human, by reason.
--
-- Result: review_reason, count.
SELECT t.review_reason, count(*) AS count
FROM reconciled.timers AS t
WHERE t.review_reason IS NOT NULL
GROUP BY t.review_reason
ORDER BY t.review_reason;
