-- Claims one upload by its id for a check by hand, due or not, unless someone else holds it.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text id
-- Result: as claim_uploads.sql from claimed_at on; nothing if the upload is not there or is held.
WITH picked AS MATERIALIZED (
    SELECT u.id
    FROM reconciled.uploads AS u
    WHERE u.id = $3::text AND (u.lease_expires_at IS NULL OR u.lease_expires_at <= now())
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE reconciled.uploads AS u
SET lease_token = nextval('reconciled.lease_token_seq'),
    lease_expires_at = now() + $2::interval,
    leased_by = $1::text,
    claim_count = u.claim_count + 1
WHERE u.id = ANY (ARRAY(SELECT picked.id FROM picked))
RETURNING u.store, now() AS claimed_at, u.id, u.name, u.total_bytes, u.chunk_bytes, u.chunk_count, u.sha256, u.status,
    u.received_chunks, u.merged_bytes, u.created_at, u.last_activity_at, u.expires_at, u.s3_upload_id, u.reclaimed_at,
    u.review_reason, u.lease_token, u.next_check_at, u.check_count, u.failure_count, u.claim_count, u.progress;
