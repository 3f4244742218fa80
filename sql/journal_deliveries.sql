-- Writes a delivery's progress under the fence, before a call that changes the outside world.
--
-- Parameters: $1 text poller, $2 text id, $3 bigint lease token, $4 jsonb progress
-- Result: the id, or nothing if the lease was lost: then the call must not start.
UPDATE reconciled.deliveries AS d
SET progress = $4::jsonb
WHERE d.id = $2::text::bigint AND d.lease_token = $3::bigint AND d.leased_by = $1::text
    AND d.lease_expires_at > clock_timestamp()
RETURNING d.id::text;
