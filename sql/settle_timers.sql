-- Writes what checks concluded about timers: each fenced by lease token and poller, its status compared, its history
-- row written by the same statement.
--
-- Parameters: $1 text poller, $2 boolean whether checks are recorded, then one array for each column of "input" below.
--   delay         NULL puts the timer to rest
--   contradicted  statuses, joined by commas, that make an overtaken timer due again
--   changes       whether the columns after it say anything
--   next_at       the instant of the grid that comes next, in the place of now() + delay: no delay of ours moves it
--   called        whether status_code (NULL: no answer) is that of a call
-- Result: position (from 1) and outcome of each: written, overtaken, locked or stale; status, next_check_at and, of what
--         has one, lane: what they are now.
--
-- A timer that the application keeps locked is skipped, not waited for: it delays no other, and there is no deadlock.
WITH input AS MATERIALIZED (
    SELECT input.*
    FROM unnest(
        $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::interval[], $9::integer[],
        $10::text[], $11::jsonb[], $12::text[], $13::jsonb[], $14::text[], $15::integer[],
        $16::boolean[], $17::text[], $18::timestamptz[], $19::integer[], $20::boolean[], $21::integer[],
        $22::text[], $23::jsonb[]
    ) WITH ORDINALITY AS input (
        id, lease_token, status_before, due_at, verdict, delay, failure_count,
        reason, answer, error, progress, contradicted, duration_ms,
        changes, status_after, next_at, runs, called, status_code,
        review_reason, review_detail, position
    )
),
held AS MATERIALIZED (
    SELECT input.*,
        t.status AS status_now,
        t.status = input.status_before AS agrees,
        t.next_check_at AS next_check_now,
        t.next_check_at IS DISTINCT FROM input.due_at AS rescheduled,
        t.review_reason AS review_reason_now
    FROM input
    JOIN reconciled.timers AS t ON t.id = input.id
    WHERE t.lease_token = input.lease_token AND t.leased_by = $1::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
settled AS (
    UPDATE reconciled.timers AS t
    SET status = CASE WHEN held.agrees AND held.changes THEN held.status_after ELSE t.status END,
        -- The call was made, whatever became of the timer meanwhile.
        run_count = t.run_count + CASE WHEN held.changes THEN held.runs ELSE 0 END,
        last_status_code = CASE WHEN held.changes AND held.called THEN held.status_code ELSE t.last_status_code END,
        review_reason = CASE WHEN held.agrees AND held.changes THEN held.review_reason ELSE t.review_reason END,
        review_detail = CASE WHEN held.agrees AND held.changes THEN held.review_detail ELSE t.review_detail END,
        -- An application that wrote next_check_at while we called is right, unless the timer is put to rest. An
        -- overtaken one stays due: the next check decides on the new status.
        next_check_at = CASE
            WHEN NOT held.agrees AND held.status_now = ANY (string_to_array(held.contradicted, ',')) THEN now()
            WHEN held.agrees AND held.delay IS NULL THEN NULL
            WHEN held.rescheduled THEN held.next_check_now
            WHEN held.agrees THEN COALESCE(held.next_at, now() + held.delay)
            ELSE now()
        END,
        -- It ends on a timer that runs every 10 ms within a year, and must not stop it.
        check_count = LEAST(t.check_count::bigint + 1, 2147483647)::integer,
        failure_count = CASE WHEN held.agrees THEN held.failure_count ELSE 0 END,
        claim_count = 0,
        lease_token = NULL,
        lease_expires_at = NULL,
        leased_by = NULL,
        progress = CASE
            WHEN NOT held.agrees THEN t.progress
            -- The next run stands for the instant that the application chose, or for one of a new grid.
            WHEN held.rescheduled AND (held.next_check_now > now() OR held.next_check_now IS NULL) THEN NULL
            -- The engine concluded in the rules' place: what is tried again is the same run.
            WHEN held.verdict = 'failed' AND NOT held.changes AND held.delay IS NOT NULL AND held.due_at IS NOT NULL
                THEN COALESCE(held.progress, jsonb_build_object('instant', held.due_at))
            ELSE held.progress
        END,
        last_checked_at = now(),
        last_verdict = CASE WHEN held.agrees THEN held.verdict ELSE 'overtaken' END,
        last_error = CASE WHEN held.agrees THEN held.error END,
        updated_at = now()
    FROM held
    WHERE t.id = held.id
    RETURNING held.position, held.id, t.lane, held.agrees, held.status_now, t.status AS status_after,
        t.next_check_at,
        t.last_verdict AS verdict, held.reason, held.answer, held.duration_ms,
        t.review_reason IS DISTINCT FROM held.review_reason_now AS reason_changed
),
history AS (
    INSERT INTO reconciled.history (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'timers', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
        settled.reason, settled.duration_ms, settled.answer
    FROM settled
    WHERE NOT settled.agrees OR settled.status_after <> settled.status_now OR settled.reason_changed
        -- Runs that were owed and will never be made: the one thing besides that a person may look for later.
        OR settled.reason = 'MISSED_RUNS_LEFT_OUT'
),
checks AS (
    INSERT INTO reconciled.checks (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'timers', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
        settled.reason, settled.duration_ms, settled.answer
    FROM settled
    WHERE $2::boolean
)
SELECT input.position,
    CASE
        WHEN settled.agrees THEN 'written'
        WHEN NOT settled.agrees THEN 'overtaken'
        -- Still ours as far as this statement sees, yet not updated: someone else holds the row's lock.
        WHEN EXISTS (
            SELECT 1
            FROM reconciled.timers AS t
            WHERE t.id = input.id AND t.lease_token = input.lease_token AND t.leased_by = $1::text
        ) THEN 'locked'
        ELSE 'stale'
    END AS outcome,
    COALESCE(settled.status_after, input.status_before) AS status,
    settled.next_check_at,
    -- The application may have moved it to another lane meanwhile.
    CASE WHEN settled.next_check_at IS NOT NULL THEN settled.lane END AS lane
FROM input
LEFT JOIN settled ON settled.position = input.position
ORDER BY input.position;
