-- Reads one timer as a check sees it, without claiming it: for a dry run.
--
-- Parameters: $1 text id
-- Result: as claim_timer.sql.
SELECT t.lane, now() AS claimed_at, t.id, t.url, t.method, t.headers, t.body, t.every, t.anchor_at, t.catch_up,
    t.run_count, t.max_runs, t.ends_at, t.status, t.timeout, t.expect_status, 0::bigint AS lease_token,
    t.next_check_at, t.check_count, t.failure_count, t.claim_count, t.progress
FROM reconciled.timers AS t
WHERE t.id = $1::text;
