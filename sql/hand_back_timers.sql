-- Gives claimed timers back as they were: due, unleased, the claim not counted.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens
-- Result: id of each timer given back. A lease that is no longer ours is left alone; a timer that the application
-- keeps locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT t.id
    FROM unnest($2::text[], $3::bigint[]) AS input (id, lease_token)
    JOIN reconciled.timers AS t ON t.id = input.id
    WHERE t.lease_token = input.lease_token AND t.leased_by = $1::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE reconciled.timers AS t
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(t.claim_count - 1, 0)
WHERE t.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING t.id;
