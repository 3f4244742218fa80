-- How many rows of a large watch have which status, by the planner's statistics (ANALYZE, which autovacuum runs): a guess from
-- a sample, of rows with and without a reason for review.
--
-- Parameters: $1 text watch
-- Result: status, count. Nothing for a table that was never analyzed, nor for a view, which has no statistics.
SELECT sampled.status, (size.rows * sampled.frequency)::bigint AS count
FROM pg_class AS c
JOIN pg_stats AS s ON s.schemaname = 'reconciled' AND s.tablename = c.relname AND s.attname = 'status'
-- As the planner does: the rows a page of the last time, times the pages of now.
CROSS JOIN LATERAL (
    SELECT c.reltuples / GREATEST(c.relpages, 1)
        * (pg_relation_size(c.oid) / current_setting('block_size')::integer) AS rows
) AS size
CROSS JOIN LATERAL unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS sampled (status, frequency)
WHERE c.relnamespace = 'reconciled'::regnamespace AND c.relname = $1::text AND c.relkind = 'r' AND c.reltuples >= 0
ORDER BY sampled.status;
