-- A person decides about an order. 'pending' asks again from the start: failures, claims and reason are cleared, and it
-- gets a new give_up_at.
--
-- Parameters: $1 text id, $2 text status, $3 text note, $4 text actor,
--             $5 text transaction (NULL: as it is), $6 interval until the order is given up again
--             $7 text status and $8 text reason for review that the person saw (NULL status: whatever they are)
-- Result: the order as one JSON object, or nothing if there is none that is as the person saw it.
-- A check under way finds the status changed and is overtaken; where it is the same, the lease is gone.
WITH before AS MATERIALIZED (
    SELECT o.id, o.status, o.gateway_txn_id, o.paid_at
    FROM reconciled.orders AS o
    WHERE o.id = $1::text
        AND ($7::text IS NULL OR (o.status = $7::text AND o.review_reason IS NOT DISTINCT FROM $8::text))
    FOR NO KEY UPDATE
),
resolved AS (
    UPDATE reconciled.orders AS o
    SET status = $2::text,
        next_check_at = CASE WHEN $2::text = 'pending' THEN now() END,
        -- A payment that is taken back holds its transaction no longer, for the order that it belongs to needs it; the
        -- history tells which it was.
        gateway_txn_id = CASE
            WHEN o.paid_at IS NOT NULL AND $2::text NOT IN ('paid', 'review') THEN $5::text
            ELSE COALESCE($5::text, o.gateway_txn_id)
        END,
        paid_at = CASE $2::text WHEN 'paid' THEN COALESCE(o.paid_at, now()) WHEN 'review' THEN o.paid_at END,
        review_reason = CASE WHEN $2::text = 'review' THEN COALESCE(o.review_reason, 'MANUAL') END,
        review_detail = CASE WHEN $2::text = 'review' THEN o.review_detail END,
        give_up_at = CASE WHEN $2::text = 'pending' THEN now() + $6::interval ELSE o.give_up_at END,
        failure_count = CASE WHEN $2::text = 'pending' THEN 0 ELSE o.failure_count END,
        claim_count = CASE WHEN $2::text = 'pending' THEN 0 ELSE o.claim_count END,
        -- A person wants it asked about: the cut-off, which rests an old order once, does not apply any more.
        progress = '{"cut_off": true}',
        lease_token = CASE WHEN before.status <> $2::text THEN o.lease_token END,
        lease_expires_at = CASE WHEN before.status <> $2::text THEN o.lease_expires_at END,
        leased_by = CASE WHEN before.status <> $2::text THEN o.leased_by END,
        last_error = NULL,
        updated_at = now()
    FROM before
    WHERE o.id = before.id
    RETURNING o.*
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason, answer)
    SELECT 'orders', resolved.id, resolved.gateway, $4::text, before.status, resolved.status, 'RESOLVED',
        jsonb_strip_nulls(jsonb_build_object(
            'note', $3::text, 'txn', $5::text,
            'txn_before', CASE
                WHEN before.gateway_txn_id IS DISTINCT FROM resolved.gateway_txn_id THEN before.gateway_txn_id
            END,
            'paid_at_before', CASE WHEN resolved.paid_at IS NULL THEN before.paid_at END))
    FROM resolved
    JOIN before ON before.id = resolved.id
    RETURNING id, status_before
),
deliveries AS (
    INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload)
    SELECT endpoint.name, reconciled.event_id(history.id), 'order.resolved', 'orders/' || resolved.id,
        reconciled.event_payload(
            'order.resolved', reconciled.as_json(resolved), history.status_before, resolved.status, 'RESOLVED')
    FROM history
    CROSS JOIN resolved
    CROSS JOIN (
        SELECT DISTINCT e.name
        FROM reconciled.endpoints AS e
        WHERE e.events && '{*,order.*,order.resolved}'
    ) AS endpoint
)
SELECT reconciled.as_json(resolved) FROM resolved;
