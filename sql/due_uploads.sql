-- Uploads that are due in a lane and held by nobody, for a claim that goes around those that refuse to be claimed.
--
-- Parameters: $1 text lane, $2 timestamptz and $3 text lower bound: next_check_at and id, $4 integer how many at most
-- Result: next_check_at and id of each, oldest first.
SELECT u.next_check_at, u.id
FROM reconciled.uploads AS u
WHERE u.store = $1::text
    AND u.next_check_at IS NOT NULL
    AND (u.next_check_at, u.id) >= ($2::timestamptz, $3::text)
    AND u.next_check_at <= now()
    AND (u.lease_expires_at IS NULL OR u.lease_expires_at <= now())
ORDER BY u.next_check_at, u.id
LIMIT $4::integer;
