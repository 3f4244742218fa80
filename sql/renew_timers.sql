-- Extends the leases of timers under check.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text[] ids, $4 bigint[] lease tokens
-- Result: lease_token of each lease that still holds and was extended.
WITH held AS MATERIALIZED (
    SELECT t.id
    FROM unnest($3::text[], $4::bigint[]) AS input (id, lease_token)
    JOIN reconciled.timers AS t ON t.id = input.id
    WHERE t.lease_token = input.lease_token AND t.leased_by = $1::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE reconciled.timers AS t
SET lease_expires_at = now() + $2::interval
WHERE t.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING t.lease_token;
