-- Pollers seen within the last day.
--
-- Result: id, watch, version, started_at, silent_for (interval since the last heartbeat), stopped.
SELECT p.id, p.watch, p.version, p.started_at, now() - p.heartbeat_at AS silent_for, p.stopped_at IS NOT NULL AS stopped
FROM reconciled.pollers AS p
ORDER BY p.started_at, p.id;
