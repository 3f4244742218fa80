-- Pollers seen within the last day; those that have been silent for a minute come last.
--
-- Result: id, watch, version, started_at, silent_for (interval since the last heartbeat), stopped.
SELECT p.id, p.watch, p.version, p.started_at, now() - p.heartbeat_at AS silent_for, p.stopped_at IS NOT NULL AS stopped
FROM reconciled.pollers AS p
ORDER BY p.heartbeat_at < now() - interval '1 minute', p.started_at, p.id;
