-- Where the demo's orders stand.
--
-- Result: id, status, review_reason (or NULL), checked (whether it was settled at least once), resting,
--         fixed_after (interval from falling due to the change of its status by Reconciled, or NULL).
SELECT o.id, o.status, o.review_reason, o.check_count > 0 AS checked, o.next_check_at IS NULL AS resting,
    changed.at - o.created_at AS fixed_after
FROM reconciled.orders AS o
LEFT JOIN LATERAL (
    SELECT min(h.at) AS at
    FROM reconciled.history AS h
    WHERE h.watch = 'orders' AND h.row_id = o.id AND h.status_after <> h.status_before
) AS changed ON true
ORDER BY o.id;
