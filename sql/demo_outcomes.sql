-- Where the demo's orders stand.
--
-- Result: id, status, review_reason (or NULL), checked (whether it was settled at least once), resting,
--         fixed (whether Reconciled changed its status), seconds from the first order's insertion to that change or NULL.
SELECT o.id, o.status, o.review_reason, o.check_count > 0 AS checked, o.next_check_at IS NULL AS resting,
    h.at IS NOT NULL AS fixed, (extract(epoch FROM h.at - start.at))::double precision AS seconds
FROM reconciled.orders AS o
CROSS JOIN (SELECT min(s.created_at) + interval '10 minutes' AS at FROM reconciled.orders AS s) AS start
LEFT JOIN LATERAL (
    SELECT min(c.at) AS at
    FROM reconciled.history AS c
    WHERE c.watch = 'orders' AND c.row_id = o.id AND c.status_after <> c.status_before
) AS h ON true
ORDER BY o.id;
