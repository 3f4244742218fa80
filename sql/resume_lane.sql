-- Ends a pause that a lane gave itself for its configuration; one by a person, and a hold that the gateway asked for, only
-- when a person says so, which is recorded.
--
-- Parameters: $1 text lane, $2 text who (NULL: the lane itself)
-- Result: the lane's name if it was paused or on hold and runs now.
WITH before AS MATERIALIZED (
    SELECT l.name, l.paused_at IS NOT NULL AS paused
    FROM reconciled.lanes AS l
    WHERE l.name = $1::text
        AND CASE
            WHEN $2::text IS NULL THEN l.paused_at IS NOT NULL AND l.paused_by IS NULL
            ELSE l.paused_at IS NOT NULL OR l.hold_until > now()
        END
    FOR NO KEY UPDATE
),
resumed AS (
    UPDATE reconciled.lanes AS l
    SET paused_at = NULL,
        paused_by = NULL,
        pause_reason = NULL,
        probe_at = NULL,
        hold_until = CASE WHEN $2::text IS NULL THEN l.hold_until END,
        updated_at = now()
    FROM before
    WHERE l.name = before.name
    RETURNING l.name
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'lanes', before.name, before.name, $2::text, CASE WHEN before.paused THEN 'paused' ELSE 'held' END, 'running',
        'RESUMED'
    FROM before
    WHERE $2::text IS NOT NULL
)
SELECT resumed.name FROM resumed;
