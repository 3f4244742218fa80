-- Claims one delivery by its id for a check by hand, due or not, unless someone else holds it.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text id
-- Result: as claim_deliveries.sql from claimed_at on; nothing if the delivery is not there or is held.
WITH picked AS MATERIALIZED (
    SELECT d.id
    FROM reconciled.deliveries AS d
    WHERE d.id = reconciled.delivery_id($3::text) AND (d.lease_expires_at IS NULL OR d.lease_expires_at <= now())
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE reconciled.deliveries AS d
SET lease_token = nextval('reconciled.lease_token_seq'),
    lease_expires_at = now() + $2::interval,
    leased_by = $1::text,
    claim_count = d.claim_count + 1
WHERE d.id = ANY (ARRAY(SELECT picked.id FROM picked))
RETURNING d.endpoint, now() AS claimed_at,
    d.id::text, d.event_id, d.event_type, d.subject, d.payload, d.status, d.created_at,
    (
        SELECT COALESCE(e.next_check_at, 'infinity')
        FROM reconciled.deliveries AS e
        WHERE d.status = 'pending' AND e.endpoint = d.endpoint AND e.subject = d.subject AND e.status = 'pending'
            AND e.id < d.id
        ORDER BY e.id
        LIMIT 1
    ) AS waits_for,
    d.lease_token, d.next_check_at, d.check_count, d.failure_count, d.claim_count, d.progress;
