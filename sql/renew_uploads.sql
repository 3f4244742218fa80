-- Extends the leases of uploads under check.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text[] ids, $4 bigint[] lease tokens
-- Result: lease_token of each lease that still holds and was extended.
WITH held AS MATERIALIZED (
    SELECT u.id
    FROM unnest($3::text[], $4::bigint[]) AS input (id, lease_token)
    JOIN reconciled.uploads AS u ON u.id = input.id
    WHERE u.lease_token = input.lease_token AND u.leased_by = $1::text
    FOR NO KEY UPDATE OF u SKIP LOCKED
)
UPDATE reconciled.uploads AS u
SET lease_expires_at = now() + $2::interval
WHERE u.id = ANY (ARRAY(SELECT held.id FROM held))
RETURNING u.lease_token;
