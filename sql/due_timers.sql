-- Timers that are due in a lane and held by nobody, for a claim that goes around those that refuse to be claimed.
--
-- Parameters: $1 text lane, $2 timestamptz and $3 text lower bound: next_check_at and id, $4 integer how many at most
-- Result: next_check_at and id of each, oldest first.
SELECT t.next_check_at, t.id
FROM reconciled.timers AS t
WHERE t.lane = $1::text
    AND t.next_check_at IS NOT NULL
    AND (t.next_check_at, t.id) >= ($2::timestamptz, $3::text)
    AND t.next_check_at <= now()
    AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= now())
ORDER BY t.next_check_at, t.id
LIMIT $4::integer;
