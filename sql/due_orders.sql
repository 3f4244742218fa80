-- Orders that are due in a lane and held by nobody, for a claim that goes around those that refuse to be claimed.
--
-- Parameters: $1 text lane, $2 timestamptz and $3 text lower bound: next_check_at and id, $4 integer how many at most
-- Result: next_check_at and id of each, oldest first.
SELECT o.next_check_at, o.id
FROM reconciled.orders AS o
WHERE o.gateway = $1::text
    AND o.next_check_at IS NOT NULL
    AND (o.next_check_at, o.id) >= ($2::timestamptz, $3::text)
    AND o.next_check_at <= now()
    AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= now())
ORDER BY o.next_check_at, o.id
LIMIT $4::integer;
