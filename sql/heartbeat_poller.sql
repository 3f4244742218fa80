-- Keeps a poller's row in the registry alive, and forgets pollers that have been silent for a day.
--
-- Parameters: $1 text poller, $2 text host, $3 integer process id, $4 text version, $5 text watch, $6 boolean stopping
WITH forgotten AS (
    DELETE FROM reconciled.pollers AS p WHERE p.heartbeat_at < now() - interval '1 day' AND p.id <> $1::text
)
INSERT INTO reconciled.pollers AS p (id, host, process_id, version, watch, stopped_at)
VALUES ($1::text, $2::text, $3::integer, $4::text, $5::text, CASE WHEN $6::boolean THEN now() END)
ON CONFLICT (id) DO UPDATE
SET heartbeat_at = now(), stopped_at = EXCLUDED.stopped_at;
