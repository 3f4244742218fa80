-- Extends the leases of deliveries under check.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text[] ids, $4 bigint[] lease tokens
-- Result: lease_token of each lease that still holds and was extended.
WITH held AS MATERIALIZED (
    SELECT d.id
    FROM unnest($3::text[], $4::bigint[]) AS input (id, lease_token)
    JOIN reconciled.deliveries AS d ON d.id = input.id::bigint
    WHERE d.lease_token = input.lease_token AND d.leased_by = $1::text
    FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE reconciled.deliveries AS d
SET lease_expires_at = now() + $2::interval
WHERE d.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING d.lease_token;
