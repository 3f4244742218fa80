-- Gives claimed deliveries back as they were: due, unleased, the claim not counted. What kept them from being asked
-- about (a lane that is misconfigured) is told in last_error.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens, $4 text[] errors (NULL leaves last_error)
-- Result: id of each delivery given back. A lease that is no longer ours is left alone; a delivery that the application
-- keeps locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT d.id, input.error
    FROM unnest($2::text[], $3::bigint[], $4::text[]) AS input (id, lease_token, error)
    JOIN reconciled.deliveries AS d ON d.id = input.id::bigint
    WHERE d.lease_token = input.lease_token AND d.leased_by = $1::text
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE reconciled.deliveries AS d
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(d.claim_count - 1, 0),
    last_error = COALESCE(held.error, d.last_error)
FROM held
WHERE d.id = held.id
RETURNING d.id::text;
