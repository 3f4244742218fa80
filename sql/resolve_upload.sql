-- A person decides about an upload. 'receiving' begins anew: failures, claims and reason are cleared, it does not
-- expire before it has had its time again, and chunks that are still in the trash come back. 'complete' and 'expired'
-- have the chunks reclaimed that are still there; that it is complete is taken at the person's word, without a further
-- proof.
--
-- Parameters: $1 text id, $2 text status, $3 text note, $4 text actor, $5 interval until it may expire again,
--             $6 interval for which a complete upload's chunks are kept
--             $7 text status and $8 text reason for review that the person saw (NULL status: whatever they are)
-- Result: the upload as one JSON object, or nothing if there is none that is as the person saw it.
-- A check under way finds the status changed and is overtaken; where it is the same, the lease is gone.
WITH before AS MATERIALIZED (
    SELECT u.id, u.status
    FROM reconciled.uploads AS u
    WHERE u.id = $1::text
        AND ($7::text IS NULL OR (u.status = $7::text AND u.review_reason IS NOT DISTINCT FROM $8::text))
    FOR NO KEY UPDATE
),
resolved AS (
    UPDATE reconciled.uploads AS u
    SET status = $2::text,
        next_check_at = CASE
            WHEN $2::text = 'receiving' THEN now()
            WHEN u.reclaimed_at IS NOT NULL THEN NULL
            WHEN $2::text = 'complete' THEN now() + $6::interval
            WHEN $2::text = 'expired' THEN now()
        END,
        review_reason = NULL,
        review_detail = NULL,
        expires_at = CASE WHEN $2::text = 'receiving' THEN now() + $5::interval ELSE u.expires_at END,
        -- Chunks that have come until now are this session's, whether a check has seen them or not.
        last_activity_at = CASE WHEN $2::text = 'complete' THEN now() ELSE u.last_activity_at END,
        -- Its chunks come again, and want to be reclaimed again.
        reclaimed_at = CASE WHEN $2::text <> 'receiving' THEN u.reclaimed_at END,
        -- What the store knows of it stays; what checks have added up and proved does not.
        progress = jsonb_build_object(
            'merged_bytes', u.progress -> 'merged_bytes',
            'state', u.progress -> 'state',
            'trash', CASE WHEN $2::text = 'expired' THEN u.progress -> 'trash' END,
            -- What was put out of the way comes back, as far as it is still there.
            'restore', $2::text = 'receiving',
            -- Where nothing of it can be found, it is not asked about again.
            'resolved', $2::text IN ('complete', 'expired'),
            'reclaim_at', CASE WHEN $2::text = 'complete' THEN reconciled.as_json(now() + $6::interval) END
        ),
        failure_count = 0,
        claim_count = 0,
        lease_token = CASE WHEN before.status <> $2::text THEN u.lease_token END,
        lease_expires_at = CASE WHEN before.status <> $2::text THEN u.lease_expires_at END,
        leased_by = CASE WHEN before.status <> $2::text THEN u.leased_by END,
        last_error = NULL,
        updated_at = now()
    FROM before
    WHERE u.id = before.id
    RETURNING u.*
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason, answer)
    SELECT 'uploads', resolved.id, resolved.store, $4::text, before.status, resolved.status, 'RESOLVED',
        jsonb_build_object('note', $3::text)
    FROM resolved
    JOIN before ON before.id = resolved.id
    RETURNING id, status_before
),
deliveries AS (
    INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload)
    SELECT endpoint.name, reconciled.event_id(history.id), 'upload.resolved', 'uploads/' || resolved.id,
        reconciled.event_payload(
            'upload.resolved', reconciled.as_json(resolved), history.status_before, resolved.status, 'RESOLVED')
    FROM history
    CROSS JOIN resolved
    CROSS JOIN (
        SELECT DISTINCT e.name
        FROM reconciled.endpoints AS e
        WHERE e.events && '{*,upload.*,upload.resolved}'
    ) AS endpoint
)
SELECT reconciled.as_json(resolved) FROM resolved;
