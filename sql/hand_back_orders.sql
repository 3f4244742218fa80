-- Gives claimed orders back as they were: due, unleased, the claim not counted.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens
-- Result: id of each order given back. A lease that is no longer ours is left alone; an order that the application keeps
-- locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT o.id
    FROM unnest($2::text[], $3::bigint[]) AS input (id, lease_token)
    JOIN reconciled.orders AS o ON o.id = input.id
    WHERE o.lease_token = input.lease_token AND o.leased_by = $1::text
    FOR NO KEY UPDATE OF o SKIP LOCKED
)
UPDATE reconciled.orders AS o
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(o.claim_count - 1, 0)
WHERE o.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING o.id;
