-- Extends the leases of orders under check.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text[] ids, $4 bigint[] lease tokens
-- Result: lease_token of each lease that still holds and was extended.
WITH held AS MATERIALIZED (
    SELECT o.id
    FROM unnest($3::text[], $4::bigint[]) AS input (id, lease_token)
    JOIN reconciled.orders AS o ON o.id = input.id
    WHERE o.lease_token = input.lease_token AND o.leased_by = $1::text
    FOR NO KEY UPDATE OF o SKIP LOCKED
)
UPDATE reconciled.orders AS o
SET lease_expires_at = now() + $2::interval
WHERE o.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING o.lease_token;
