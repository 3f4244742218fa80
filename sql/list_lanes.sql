-- Every lane that was ever registered or paused.
--
-- Result: name, paused, paused_by, pause_reason, paused_at, held_for (interval or NULL).
SELECT l.name, l.paused_at IS NOT NULL AS paused, l.paused_by, l.pause_reason, l.paused_at,
    CASE WHEN l.hold_until > now() THEN l.hold_until - now() END AS held_for
FROM reconciled.lanes AS l
ORDER BY l.name;
