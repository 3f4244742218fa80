-- Writes what checks concluded about deliveries: each fenced by lease token and poller, its status compared, its history
-- row written by the same statement.
--
-- Parameters: $1 text poller, $2 boolean whether checks are recorded, then one array for each column of "input" below.
--   delay         NULL puts the delivery to rest
--   contradicted  statuses, joined by commas, that make an overtaken delivery due again
--   changes       whether status and review are written; false keeps them
--   called        whether status_code (NULL: no answer) is that of a call
-- Result: position (from 1) and outcome of each: written, overtaken, locked or stale; status, next_check_at and, of what
--         has one, lane: what they are now.
--
-- A delivery that the application keeps locked is skipped, not waited for: it delays no other, and there is no deadlock.
WITH input AS MATERIALIZED (
    SELECT input.*
    FROM unnest(
        $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::interval[], $9::integer[],
        $10::text[], $11::jsonb[], $12::text[], $13::jsonb[], $14::text[], $15::integer[],
        $16::boolean[], $17::text[], $18::boolean[], $19::integer[], $20::text[], $21::jsonb[]
    ) WITH ORDINALITY AS input (
        id, lease_token, status_before, due_at, verdict, delay, failure_count,
        reason, answer, error, progress, contradicted, duration_ms,
        changes, status_after, called, status_code, review_reason, review_detail, position
    )
),
held AS MATERIALIZED (
    SELECT input.*,
        d.id AS delivery_id,
        d.status AS status_now,
        d.status = input.status_before AS agrees,
        d.next_check_at AS next_check_now,
        d.review_reason AS review_reason_now
    FROM input
    JOIN reconciled.deliveries AS d ON d.id = input.id::bigint
    WHERE d.lease_token = input.lease_token AND d.leased_by = $1::text
    FOR NO KEY UPDATE OF d SKIP LOCKED
),
settled AS (
    UPDATE reconciled.deliveries AS d
    SET status = CASE WHEN held.agrees AND held.changes THEN held.status_after ELSE d.status END,
        last_status_code = CASE WHEN held.called THEN held.status_code ELSE d.last_status_code END,
        delivered_at = CASE WHEN held.agrees AND held.changes AND held.status_after = 'delivered'
            THEN now() ELSE d.delivered_at END,
        review_reason = CASE WHEN held.agrees AND held.changes THEN held.review_reason ELSE d.review_reason END,
        review_detail = CASE WHEN held.agrees AND held.changes THEN held.review_detail ELSE d.review_detail END,
        -- An application that wrote next_check_at while we called is right, unless the delivery is put to rest; so is
        -- the end of an earlier one, which made this one due. An overtaken one stays due: the next check decides on the
        -- new status.
        next_check_at = CASE
            WHEN NOT held.agrees AND held.status_now = ANY (string_to_array(held.contradicted, ',')) THEN now()
            WHEN held.agrees AND held.delay IS NULL THEN NULL
            WHEN held.next_check_now IS DISTINCT FROM held.due_at THEN held.next_check_now
            WHEN held.agrees THEN now() + held.delay
            ELSE now()
        END,
        check_count = d.check_count + 1,
        failure_count = CASE WHEN held.agrees THEN held.failure_count ELSE 0 END,
        claim_count = 0,
        lease_token = NULL,
        lease_expires_at = NULL,
        leased_by = NULL,
        progress = CASE WHEN held.agrees THEN held.progress ELSE d.progress END,
        last_checked_at = now(),
        last_verdict = CASE WHEN held.agrees THEN held.verdict ELSE 'overtaken' END,
        last_error = CASE WHEN held.agrees THEN held.error END,
        updated_at = now()
    FROM held
    WHERE d.id = held.delivery_id
    RETURNING held.position, held.id, d.endpoint AS lane, held.agrees, held.status_now, d.status AS status_after,
        d.next_check_at,
        d.last_verdict AS verdict, held.reason, held.answer, held.duration_ms,
        d.review_reason IS DISTINCT FROM held.review_reason_now AS reason_changed
),
history AS (
    INSERT INTO reconciled.history (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'deliveries', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
        settled.reason, settled.duration_ms, settled.answer
    FROM settled
    WHERE NOT settled.agrees OR settled.status_after <> settled.status_now OR settled.reason_changed
),
checks AS (
    INSERT INTO reconciled.checks (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'deliveries', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
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
            FROM reconciled.deliveries AS d
            WHERE d.id = input.id::bigint AND d.lease_token = input.lease_token AND d.leased_by = $1::text
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
