-- Claims one order by its id for a check by hand, due or not, unless someone else holds it.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text id
-- Result: as claim_orders.sql from claimed_at on; nothing if the order is not there or is held.
WITH picked AS MATERIALIZED (
    SELECT o.id
    FROM reconciled.orders AS o
    WHERE o.id = $3::text AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= now())
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE reconciled.orders AS o
SET lease_token = nextval('reconciled.lease_token_seq'),
    lease_expires_at = now() + $2::interval,
    leased_by = $1::text,
    claim_count = o.claim_count + 1
WHERE o.id = ANY (ARRAY(SELECT picked.id FROM picked))
RETURNING o.gateway, now() AS claimed_at, o.id, o.gateway_ref, o.amount_minor, o.currency, o.status, o.created_at,
    o.expires_at, o.give_up_at, o.verified_at, o.review_reason, o.lease_token, o.next_check_at, o.check_count,
    o.failure_count, o.claim_count, o.progress;
