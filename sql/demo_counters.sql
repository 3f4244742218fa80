-- What the demo has done so far.
--
-- Result: checks settled; those without a usable answer; orders overtaken by the application; how late the first check of
--         an order began: median and 99th percentile (intervals, NULL before there is one).
WITH first_check AS (
    SELECT c.row_id, min(c.at - c.duration_ms * interval '1 millisecond') AS at
    FROM reconciled.checks AS c
    WHERE c.watch = 'orders'
    GROUP BY c.row_id
),
lateness AS (
    SELECT extract(epoch FROM first_check.at - o.created_at) AS seconds
    FROM first_check
    JOIN reconciled.orders AS o ON o.id = first_check.row_id
)
SELECT
    (SELECT count(*) FROM reconciled.checks AS c WHERE c.watch = 'orders') AS checks,
    (SELECT count(*) FROM reconciled.checks AS c WHERE c.watch = 'orders' AND c.verdict = 'failed') AS failed,
    (SELECT count(*) FROM reconciled.history AS h WHERE h.watch = 'orders' AND h.verdict = 'overtaken') AS overtaken,
    make_interval(secs => (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.seconds) FROM lateness AS l)) AS p50,
    make_interval(secs => (SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY l.seconds) FROM lateness AS l)) AS p99;
