-- Removes a timer from the watch; its history stays and gets a last entry.
--
-- Parameters: $1 text id, $2 text actor
-- Result: the id, or nothing if there is none.
WITH removed AS (
    DELETE FROM reconciled.timers AS t WHERE t.id = $1::text RETURNING t.id, t.lane, t.status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'timers', removed.id, removed.lane, $2::text, removed.status, removed.status, 'REMOVED'
    FROM removed
)
SELECT removed.id FROM removed;
