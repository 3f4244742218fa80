-- Gives claimed deliveries back as they were: due, unleased, the claim not counted.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens
-- Result: id of each delivery given back. A lease that is no longer ours is left alone; a delivery that the application
-- keeps locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT d.id
    FROM unnest($2::text[], $3::bigint[]) AS input (id, lease_token)
    JOIN reconciled.deliveries AS d ON d.id = input.id::bigint
    WHERE d.lease_token = input.lease_token AND d.leased_by = $1::text
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE reconciled.deliveries AS d
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(d.claim_count - 1, 0)
WHERE d.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING d.id::text;
