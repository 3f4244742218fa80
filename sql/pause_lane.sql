-- Pauses a lane. A person's pause replaces one that the lane gave itself; the reverse never happens. What a person does is
-- recorded.
--
-- Parameters: $1 text lane, $2 text who (NULL: the lane itself, for its configuration), $3 text reason
-- Result: the lane's name if it was paused now.
WITH before AS MATERIALIZED (
    SELECT l.name, l.paused_at FROM reconciled.lanes AS l WHERE l.name = $1::text FOR NO KEY UPDATE
),
paused AS (
    INSERT INTO reconciled.lanes AS l (name, paused_at, paused_by, pause_reason, probe_at)
    -- Reading before first: it locks the row, and this must come after.
    SELECT $1::text, now(), $2::text, $3::text, now() + interval '1 minute' FROM (SELECT count(*) FROM before) AS locked
    ON CONFLICT (name) DO UPDATE
    SET paused_at = now(), paused_by = $2::text, pause_reason = $3::text, probe_at = now() + interval '1 minute',
        updated_at = now()
    WHERE l.paused_at IS NULL OR l.paused_by IS NULL OR $2::text IS NOT NULL
    RETURNING l.name
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason, answer)
    SELECT 'lanes', paused.name, paused.name, $2::text,
        CASE WHEN before.paused_at IS NULL THEN 'running' ELSE 'paused' END, 'paused', 'PAUSED',
        jsonb_build_object('why', $3::text)
    FROM paused
    LEFT JOIN before ON before.name = paused.name
    WHERE $2::text IS NOT NULL
)
SELECT paused.name FROM paused;
