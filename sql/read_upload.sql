-- Reads one upload as a check sees it, without claiming it: for a dry run.
--
-- Parameters: $1 text id
-- Result: as claim_upload.sql.
SELECT u.store, now() AS claimed_at, u.id, u.name, u.total_bytes, u.chunk_bytes, u.chunk_count, u.sha256, u.status,
    u.received_chunks, u.merged_bytes, u.created_at, u.last_activity_at, u.expires_at, u.s3_upload_id, u.reclaimed_at,
    u.review_reason, 0::bigint AS lease_token, u.next_check_at, u.check_count, u.failure_count, u.claim_count,
    u.progress
FROM reconciled.uploads AS u
WHERE u.id = $1::text;
