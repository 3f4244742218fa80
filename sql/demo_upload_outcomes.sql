-- Where the demo's uploads stand.
--
-- Result: id, status, review_reason (or NULL), received_chunks, missing (or NULL), merged_bytes, reclaimed, resting,
--         process_id (of the poller that has it under its lease at this moment, or NULL).
SELECT u.id, u.status, u.review_reason, u.received_chunks, u.missing, u.merged_bytes,
    u.reclaimed_at IS NOT NULL AS reclaimed, u.next_check_at IS NULL AS resting,
    CASE WHEN u.lease_expires_at > now() THEN (
        SELECT p.process_id FROM reconciled.pollers AS p WHERE p.id = u.leased_by
    ) END AS process_id
FROM reconciled.uploads AS u
ORDER BY u.id;
