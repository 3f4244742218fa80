-- Runs timers now and leaves their grids alone: by hand, so it is recorded. One that is not active is not run.
--
-- Parameters: $1 text[] ids, $2 text actor
-- Result: id of each timer that exists.
WITH nudged AS (
    UPDATE reconciled.timers AS t
    SET next_check_at = now()
    WHERE t.id = ANY ($1::text[])
    RETURNING t.id, t.lane, t.status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'timers', nudged.id, nudged.lane, $2::text, nudged.status, nudged.status, 'NUDGED'
    FROM nudged
)
SELECT nudged.id FROM nudged ORDER BY nudged.id;
