-- Deliveries that are due in a lane and held by nobody, for a claim that goes around those that refuse to be claimed.
--
-- Parameters: $1 text lane, $2 timestamptz and $3 text lower bound: next_check_at and id, $4 integer how many at most
-- Result: next_check_at and id of each, oldest first.
SELECT d.next_check_at, d.id::text AS id
FROM reconciled.deliveries AS d
WHERE d.endpoint = $1::text
    AND d.next_check_at IS NOT NULL
    AND (d.next_check_at, d.id) >= ($2::timestamptz, COALESCE(NULLIF($3::text, '')::bigint, 0))
    AND d.next_check_at <= now()
    AND (d.lease_expires_at IS NULL OR d.lease_expires_at <= now())
ORDER BY d.next_check_at, d.id
LIMIT $4::integer;
