-- Removes deliveries that were made more than 14 days ago, a bounded number at a time: the outbox is no archive, history
-- tells of them for ever.
--
-- Parameters: $1 integer how many at most
-- Result: id of each.
WITH old AS MATERIALIZED (
    SELECT d.id
    FROM reconciled.deliveries AS d
    WHERE d.status = 'delivered' AND d.delivered_at < now() - interval '14 days'
        AND d.next_check_at IS NULL
    ORDER BY d.delivered_at
    LIMIT $1::integer
    FOR UPDATE SKIP LOCKED
)
DELETE FROM reconciled.deliveries AS d
WHERE d.id = ANY (ARRAY(SELECT old.id FROM old))
RETURNING d.id;
