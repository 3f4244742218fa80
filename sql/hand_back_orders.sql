-- Gives claimed orders back as they were: due, unleased, the claim not counted. What kept them from being asked
-- about (a lane that is misconfigured) is told in last_error.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens, $4 text[] errors (NULL leaves last_error)
-- Result: id of each order given back. A lease that is no longer ours is left alone; an order that the application keeps
-- locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT o.id, input.error
    FROM unnest($2::text[], $3::bigint[], $4::text[]) AS input (id, lease_token, error)
    JOIN reconciled.orders AS o ON o.id = input.id
    WHERE o.lease_token = input.lease_token AND o.leased_by = $1::text
    FOR NO KEY UPDATE OF o SKIP LOCKED
)
UPDATE reconciled.orders AS o
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(o.claim_count - 1, 0),
    last_error = COALESCE(held.error, o.last_error)
FROM held
WHERE o.id = held.id
RETURNING o.id;
