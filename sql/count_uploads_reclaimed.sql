-- What reclaiming chunks has freed, by lane.
--
-- Result: lane, uploads, bytes.
SELECT u.store AS lane, count(*) AS uploads, sum(u.reclaimed_bytes)::bigint AS bytes
FROM reconciled.uploads AS u
WHERE u.reclaimed_at IS NOT NULL
GROUP BY u.store
ORDER BY u.store;
