-- Reads one delivery as a check sees it, without claiming it: for a dry run.
--
-- Parameters: $1 text id
-- Result: as claim_delivery.sql.
SELECT d.endpoint, now() AS claimed_at,
    d.id::text, d.event_id, d.event_type, d.subject, d.payload, d.status, d.created_at,
    (
        SELECT COALESCE(e.next_check_at, 'infinity')
        FROM reconciled.deliveries AS e
        WHERE d.status = 'pending' AND e.endpoint = d.endpoint AND e.subject = d.subject AND e.status = 'pending'
            AND e.id < d.id
        ORDER BY e.id
        LIMIT 1
    ) AS waits_for,
    0::bigint AS lease_token, d.next_check_at, d.check_count, d.failure_count, d.claim_count, d.progress
FROM reconciled.deliveries AS d
WHERE d.id = reconciled.delivery_id($1::text);
