-- Gives claimed uploads back as they were: due, unleased, the claim not counted. What kept them from being asked
-- about (a lane that is misconfigured) is told in last_error.
--
-- Parameters: $1 text poller, $2 text[] ids, $3 bigint[] lease tokens, $4 text[] errors (NULL leaves last_error)
-- Result: id of each upload given back. A lease that is no longer ours is left alone; an upload that the application
-- keeps locked falls due when its lease lapses.
WITH held AS MATERIALIZED (
    SELECT u.id, input.error
    FROM unnest($2::text[], $3::bigint[], $4::text[]) AS input (id, lease_token, error)
    JOIN reconciled.uploads AS u ON u.id = input.id
    WHERE u.lease_token = input.lease_token AND u.leased_by = $1::text
    FOR NO KEY UPDATE OF u SKIP LOCKED
)
UPDATE reconciled.uploads AS u
SET lease_token = NULL,
    lease_expires_at = NULL,
    leased_by = NULL,
    claim_count = GREATEST(u.claim_count - 1, 0),
    last_error = COALESCE(held.error, u.last_error)
FROM held
WHERE u.id = held.id
RETURNING u.id;
