-- Pauses a lane. A person's pause replaces one that the lane gave itself; the reverse never happens.
--
-- Parameters: $1 text lane, $2 text who (NULL: the lane itself, for its configuration), $3 text reason
-- Result: the lane's name if it was paused now.
INSERT INTO reconciled.lanes AS l (name, paused_at, paused_by, pause_reason, probe_at)
VALUES ($1::text, now(), $2::text, $3::text, now() + interval '1 minute')
ON CONFLICT (name) DO UPDATE
SET paused_at = now(), paused_by = $2::text, pause_reason = $3::text, probe_at = now() + interval '1 minute',
    updated_at = now()
WHERE l.paused_at IS NULL OR l.paused_by IS NULL OR $2::text IS NOT NULL
RETURNING l.name;
