-- Makes lanes known. One that paused itself for its configuration is probed at once: that may just have been mended.
--
-- Parameters: $1 text[] lanes
INSERT INTO reconciled.lanes AS l (name)
SELECT input.name FROM unnest($1::text[]) AS input (name) ORDER BY input.name
ON CONFLICT (name) DO UPDATE
SET probe_at = now(), updated_at = now()
WHERE l.paused_at IS NOT NULL AND l.paused_by IS NULL;
