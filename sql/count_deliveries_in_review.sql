-- Deliveries that wait for a human, by reason.
--
-- Result: review_reason, count.
SELECT d.review_reason, count(*) AS count
FROM reconciled.deliveries AS d
WHERE d.review_reason IS NOT NULL
GROUP BY d.review_reason
ORDER BY d.review_reason;
