-- Claims one timer by its id for a check by hand, due or not, unless someone else holds it.
--
-- Parameters: $1 text poller, $2 interval lease, $3 text id
-- Result: as claim_timers.sql from claimed_at on; nothing if the timer is not there or is held.
WITH picked AS MATERIALIZED (
    SELECT t.id
    FROM reconciled.timers AS t
    WHERE t.id = $3::text AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= now())
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE reconciled.timers AS t
SET lease_token = nextval('reconciled.lease_token_seq'),
    lease_expires_at = now() + $2::interval,
    leased_by = $1::text,
    claim_count = t.claim_count + 1
WHERE t.id = ANY (ARRAY(SELECT picked.id FROM picked))
RETURNING t.lane, now() AS claimed_at, t.id, t.url, t.method, t.headers, t.body, t.every, t.anchor_at, t.catch_up,
    t.run_count, t.max_runs, t.ends_at, t.status, t.timeout, t.expect_status, t.lease_token, t.next_check_at,
    t.check_count, t.failure_count, t.claim_count, t.progress;
