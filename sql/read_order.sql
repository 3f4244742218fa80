-- Reads one order as a check sees it, without claiming it: for a dry run.
--
-- Parameters: $1 text id
-- Result: as claim_order.sql.
SELECT o.gateway, now() AS claimed_at, o.id, o.gateway_ref, o.amount_minor, o.currency, o.status, o.created_at,
    o.expires_at, o.give_up_at, o.verified_at, o.review_reason, 0::bigint AS lease_token, o.next_check_at,
    o.check_count, o.failure_count, o.claim_count, o.progress
FROM reconciled.orders AS o
WHERE o.id = $1::text;
