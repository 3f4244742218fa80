-- Ends a pause that a lane gave itself for its configuration; one by a person only when a person says so, which is
-- recorded.
--
-- Parameters: $1 text lane, $2 text who (NULL: the lane itself)
-- Result: the lane's name if it was paused and runs now.
WITH resumed AS (
    UPDATE reconciled.lanes AS l
    SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, probe_at = NULL, updated_at = now()
    WHERE l.name = $1::text AND l.paused_at IS NOT NULL AND ($2::text IS NOT NULL OR l.paused_by IS NULL)
    RETURNING l.name
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'lanes', resumed.name, resumed.name, $2::text, 'paused', 'running', 'RESUMED'
    FROM resumed
    WHERE $2::text IS NOT NULL
)
SELECT resumed.name FROM resumed;
