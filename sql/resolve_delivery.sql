-- A person decides about a delivery. 'pending' has it made again from the start, under the same webhook-id, before the
-- subject's later ones that are still pending; 'delivered' takes the person's word.
--
-- Parameters: $1 text id, $2 text status, $3 text note, $4 text actor
--             $5 text status and $6 text reason for review that the person saw (NULL status: whatever they are)
-- Result: the delivery as one JSON object, or nothing if there is none that is as the person saw it.
-- A call under way finds the status changed and is overtaken; where it is the same, the lease is gone.
WITH before AS MATERIALIZED (
    SELECT d.id, d.status
    FROM reconciled.deliveries AS d
    WHERE d.id = reconciled.delivery_id($1::text)
        AND ($5::text IS NULL OR (d.status = $5::text AND d.review_reason IS NOT DISTINCT FROM $6::text))
    FOR NO KEY UPDATE
),
resolved AS (
    UPDATE reconciled.deliveries AS d
    SET status = $2::text,
        next_check_at = CASE WHEN $2::text = 'pending' THEN now() END,
        delivered_at = CASE WHEN $2::text = 'delivered' THEN COALESCE(d.delivered_at, now()) END,
        review_reason = NULL,
        review_detail = NULL,
        failure_count = 0,
        claim_count = 0,
        lease_token = CASE WHEN before.status <> $2::text THEN d.lease_token END,
        lease_expires_at = CASE WHEN before.status <> $2::text THEN d.lease_expires_at END,
        leased_by = CASE WHEN before.status <> $2::text THEN d.leased_by END,
        last_error = NULL,
        updated_at = now()
    FROM before
    WHERE d.id = before.id
    RETURNING d.*
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason, answer)
    SELECT 'deliveries', resolved.id::text, resolved.endpoint, $4::text, before.status, resolved.status, 'RESOLVED',
        jsonb_build_object('note', $3::text)
    FROM resolved
    JOIN before ON before.id = resolved.id
)
SELECT reconciled.as_json(resolved) FROM resolved;
