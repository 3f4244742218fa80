-- Writes what checks concluded about orders: each fenced by lease token and poller, its status compared, its history row
-- written by the same statement, and so is an event for each endpoint that wants to hear of it.
--
-- Parameters: $1 text poller, $2 boolean whether checks are recorded, then one array for each column of "input" below.
--   delay         NULL puts the order to rest
--   contradicted  statuses, joined by commas, that make an overtaken order due again
--   changes       whether the columns after it are written; false keeps them
--   basis         what the gateway was asked about, as the check began with it: gateway, gateway_ref, amount_minor and
--                 currency. Other ones now are as another status now: the answer proves nothing of them
-- Result: position (from 1) and outcome of each: written, overtaken, locked or stale; status, next_check_at and, of what
--         has one, lane: what they are now.
--
-- An order that the application keeps locked is skipped, not waited for: it delays no other, and there is no deadlock. A
-- transaction id that it has written and not committed yet would be waited for by the unique index, hence the patience.
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', '200ms', true)
),
input AS MATERIALIZED (
    SELECT input.*
    FROM patience
    CROSS JOIN unnest(
        $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::interval[], $9::integer[],
        $10::text[], $11::jsonb[], $12::text[], $13::jsonb[], $14::text[], $15::integer[],
        $16::boolean[], $17::text[], $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::jsonb[],
        $23::boolean[], $24::jsonb[]
    ) WITH ORDINALITY AS input (
        id, lease_token, status_before, due_at, verdict, delay, failure_count,
        reason, answer, error, progress, contradicted, duration_ms,
        changes, status_after, paid_at, gateway_txn_id, gateway_state, review_reason, review_detail,
        verified, basis, position
    )
),
held AS MATERIALIZED (
    SELECT input.*,
        o.status AS status_now,
        o.status = input.status_before
            AND (input.basis IS NULL
                OR input.basis = jsonb_build_array(
                    o.gateway::text, o.gateway_ref, o.amount_minor, o.currency)) AS agrees,
        o.next_check_at AS next_check_now,
        o.review_reason AS review_reason_now
    FROM input
    JOIN reconciled.orders AS o ON o.id = input.id
    WHERE o.lease_token = input.lease_token AND o.leased_by = $1::text
    FOR NO KEY UPDATE OF o SKIP LOCKED
),
settled AS (
    UPDATE reconciled.orders AS o
    SET status = CASE WHEN held.agrees AND held.changes THEN held.status_after ELSE o.status END,
        paid_at = CASE WHEN held.agrees AND held.changes THEN COALESCE(held.paid_at, o.paid_at) ELSE o.paid_at END,
        gateway_txn_id = CASE WHEN held.agrees AND held.changes
            THEN COALESCE(held.gateway_txn_id, o.gateway_txn_id) ELSE o.gateway_txn_id END,
        gateway_state = CASE WHEN held.agrees AND held.changes
            THEN COALESCE(held.gateway_state, o.gateway_state) ELSE o.gateway_state END,
        review_reason = CASE WHEN held.agrees AND held.changes THEN held.review_reason ELSE o.review_reason END,
        review_detail = CASE WHEN held.agrees AND held.changes THEN held.review_detail ELSE o.review_detail END,
        verified_at = CASE WHEN held.agrees AND held.changes AND held.verified THEN now() ELSE o.verified_at END,
        -- An application that wrote next_check_at while we asked is right, unless the order is put to rest. An overtaken
        -- order stays due: the next check decides on the new status.
        next_check_at = CASE
            WHEN NOT held.agrees AND held.status_now = ANY (string_to_array(held.contradicted, ',')) THEN now()
            WHEN held.agrees AND held.delay IS NULL THEN NULL
            WHEN held.next_check_now IS DISTINCT FROM held.due_at THEN held.next_check_now
            WHEN held.agrees THEN now() + held.delay
            ELSE now()
        END,
        check_count = o.check_count + 1,
        failure_count = CASE WHEN held.agrees THEN held.failure_count ELSE 0 END,
        claim_count = 0,
        lease_token = NULL,
        lease_expires_at = NULL,
        leased_by = NULL,
        -- What an answer adds up to ends here, but a cut-off once is a cut-off done.
        progress = CASE
            WHEN held.agrees THEN held.progress
            WHEN o.progress @> '{"cut_off": true}' THEN '{"cut_off": true}'::jsonb
        END,
        last_checked_at = now(),
        last_verdict = CASE WHEN held.agrees THEN held.verdict ELSE 'overtaken' END,
        last_error = CASE WHEN held.agrees THEN held.error END,
        updated_at = now()
    FROM held
    WHERE o.id = held.id
    RETURNING held.position, held.id, o.gateway AS lane, held.agrees, held.status_now, o.status AS status_after,
        o.next_check_at,
        o.last_verdict AS verdict, held.reason, held.answer, held.duration_ms,
        o.review_reason IS DISTINCT FROM held.review_reason_now AS reason_changed,
        o.review_reason,
        CASE WHEN EXISTS (SELECT 1 FROM reconciled.endpoints) THEN o END AS row_after
),
history AS (
    INSERT INTO reconciled.history (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'orders', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
        settled.reason, settled.duration_ms, settled.answer
    FROM settled
    WHERE NOT settled.agrees OR settled.status_after <> settled.status_now OR settled.reason_changed
    RETURNING id, row_id
),
-- What others are told of: a change of ours, and what a human must see. Whether there are others is asked once, before
-- anything of this is done: without them it costs nothing.
event AS MATERIALIZED (
    SELECT told.history_id, told.type, told.id,
        reconciled.event_payload(
            told.type, reconciled.as_json(told.row_after), told.status_now, told.status_after, told.reason) AS payload
    FROM (
        SELECT history.id AS history_id, settled.*,
            CASE
                WHEN settled.reason_changed AND settled.review_reason IS NOT NULL THEN 'order.review'
                WHEN settled.status_after <> settled.status_now AND settled.status_after IN ('paid', 'closed', 'review')
                    THEN 'order.' || settled.status_after
            END AS type
        FROM history
        JOIN settled ON settled.id = history.row_id
        WHERE settled.agrees
    ) AS told
    WHERE told.type IS NOT NULL AND EXISTS (SELECT 1 FROM reconciled.endpoints)
),
deliveries AS (
    INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload)
    SELECT endpoint.name, reconciled.event_id(event.history_id), event.type, 'orders/' || event.id, event.payload
    FROM event
    CROSS JOIN LATERAL (
        SELECT DISTINCT e.name
        FROM reconciled.endpoints AS e
        WHERE e.events && ARRAY['*', 'order.*', event.type]
    ) AS endpoint
    ORDER BY event.history_id, endpoint.name
),
checks AS (
    INSERT INTO reconciled.checks (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'orders', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
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
            FROM reconciled.orders AS o
            WHERE o.id = input.id AND o.lease_token = input.lease_token AND o.leased_by = $1::text
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
