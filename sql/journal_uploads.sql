-- Writes an upload's progress under the fence, before a call that changes the outside world and as its file grows; how
-- much of it is durable is a column too, so that a bar moves.
--
-- An upload whose file has grown is none that kills pollers: its claims are counted anew, this one as the first. Growth
-- is measured against what was durable before, so that one that dies at the same place each time is still found out.
--
-- Parameters: $1 text poller, $2 text id, $3 bigint lease token, $4 jsonb progress; its "session" holds columns as the claim
--             read them, and is not kept
-- Result: the id, or nothing if the lease was lost, or someone changed the session or its status: then the call must not
--         start.
UPDATE reconciled.uploads AS u
SET progress = $4::jsonb - 'session',
    merged_bytes = COALESCE(($4::jsonb ->> 'merged_bytes')::bigint, u.merged_bytes),
    claim_count = CASE
        WHEN ($4::jsonb ->> 'merged_bytes')::bigint > u.merged_bytes THEN LEAST(u.claim_count, 1)
        ELSE u.claim_count
    END
WHERE u.id = $2::text AND u.lease_token = $3::bigint AND u.leased_by = $1::text
    AND u.lease_expires_at > clock_timestamp()
    AND to_jsonb(u) @> COALESCE($4::jsonb -> 'session', '{}')
RETURNING u.id;
