-- Makes orders due now, whatever their schedule: by hand, so it is recorded.
--
-- Parameters: $1 text[] ids, $2 text actor
-- Result: id of each order that exists.
WITH nudged AS (
    UPDATE reconciled.orders AS o
    SET next_check_at = now()
    WHERE o.id = ANY ($1::text[])
    RETURNING o.id, o.gateway, o.status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'orders', nudged.id, nudged.gateway, $2::text, nudged.status, nudged.status, 'NUDGED'
    FROM nudged
)
SELECT nudged.id FROM nudged ORDER BY nudged.id;
