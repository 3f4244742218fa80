-- Says which endpoints a poller process has configured, and what they want to hear of.
--
-- Parameters: $1 text process, $2 text[] endpoints, $3 text[] their patterns of events, joined by commas,
--             $4 boolean whether endpoints are forgotten that no process has had for an hour: by one that has run as long
--                itself, so that when all come back together none is forgotten by the first
WITH mine AS (
    INSERT INTO reconciled.endpoints AS e (name, process, events)
    SELECT input.name, $1::text, string_to_array(input.events, ',')
    FROM unnest($2::text[], $3::text[]) AS input (name, events)
    ON CONFLICT (name, process) DO UPDATE
    SET events = excluded.events, seen_at = excluded.seen_at
)
DELETE FROM reconciled.endpoints AS e
WHERE (e.process = $1::text AND e.name <> ALL ($2::text[]))
    OR ($4::boolean AND e.process <> $1::text AND e.seen_at < now() - interval '1 hour');
