-- Removes a delivery, which is not made any more; its history stays and gets a last entry.
--
-- Parameters: $1 text id, $2 text actor
-- Result: the id, or nothing if there is none.
WITH removed AS (
    DELETE FROM reconciled.deliveries AS d
    WHERE d.id = reconciled.delivery_id($1::text)
    RETURNING d.id::text AS id, d.endpoint AS lane, d.status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'deliveries', removed.id, removed.lane, $2::text, removed.status, removed.status, 'REMOVED'
    FROM removed
)
SELECT removed.id FROM removed;
