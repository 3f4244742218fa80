-- Ends a pause that a lane gave itself for its configuration; one by a person only when a person says so.
--
-- Parameters: $1 text lane, $2 boolean by a person
-- Result: the lane's name if it was paused and runs now.
UPDATE reconciled.lanes AS l
SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, probe_at = NULL, updated_at = now()
WHERE l.name = $1::text AND l.paused_at IS NOT NULL AND ($2::boolean OR l.paused_by IS NULL)
RETURNING l.name;
