-- Writes a timer's progress under the fence, before a call that changes the outside world.
--
-- Parameters: $1 text poller, $2 text id, $3 bigint lease token, $4 jsonb progress
-- Result: the id, or nothing if the lease was lost: then the call must not start.
UPDATE reconciled.timers AS t
SET progress = $4::jsonb
WHERE t.id = $2::text AND t.lease_token = $3::bigint AND t.leased_by = $1::text
    AND t.lease_expires_at > clock_timestamp()
RETURNING t.id;
