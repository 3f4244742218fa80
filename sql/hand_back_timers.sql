-- Gives claimed timers back as they were: due, unleased, the claim not counted. What kept them from being asked
-- about (a lane that is misconfigured) is told in last_error.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens, $4 text[] errors (NULL leaves last_error)
-- Result: id of each timer given back. A lease that is no longer ours is left alone; a timer that the application
-- keeps locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT t.id, input.error
    FROM unnest($2::text[], $3::bigint[], $4::text[]) AS input (id, lease_token, error)
    JOIN reconciled.timers AS t ON t.id = input.id
    WHERE t.lease_token = input.lease_token AND t.leased_by = $1::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE reconciled.timers AS t
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(t.claim_count - 1, 0),
    last_error = COALESCE(held.error, t.last_error)
FROM held
WHERE t.id = held.id
RETURNING t.id;
