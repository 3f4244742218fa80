-- Writes what checks concluded about uploads: each fenced by lease token and poller, its status compared, its history
-- row written by the same statement, and so is an event for each endpoint that wants to hear of it.
--
-- Parameters: $1 text poller, $2 boolean whether checks are recorded, then one array for each column of "input" below.
--   delay         NULL puts the upload to rest
--   contradicted  statuses, joined by commas, that make an overtaken upload due again
--   changes       whether the columns after it are written; false keeps them
--   basis         columns that make up the session, as the check began with them; other ones now are as another status now,
--                 whether anything else changes or not
-- Result: position (from 1) and outcome of each: written, overtaken, locked or stale; status, next_check_at and, of what
--         has one, lane: what they are now.
--
-- An upload that the application keeps locked is skipped, not waited for: it delays no other, and there is no deadlock.
-- Nor does the unique index on the name make anyone wait: a settle only ever frees a name.
WITH input AS MATERIALIZED (
    SELECT input.*
    FROM unnest(
        $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::interval[], $9::integer[],
        $10::text[], $11::jsonb[], $12::text[], $13::jsonb[], $14::text[], $15::integer[],
        $16::boolean[], $17::text[], $18::integer[], $19::text[], $20::bigint[], $21::timestamptz[], $22::text[],
        $23::text[], $24::bigint[], $25::text[], $26::jsonb[], $27::jsonb[]
    ) WITH ORDINALITY AS input (
        id, lease_token, status_before, due_at, verdict, delay, failure_count,
        reason, answer, error, progress, contradicted, duration_ms,
        changes, status_after, received_chunks, missing, merged_bytes, last_activity_at, location,
        etag, reclaimed_bytes, review_reason, review_detail, basis, position
    )
),
held AS MATERIALIZED (
    SELECT input.*,
        u.status AS status_now,
        u.status = input.status_before AND to_jsonb(u) @> COALESCE(input.basis, '{}') AS agrees,
        u.next_check_at AS next_check_now,
        u.review_reason AS review_reason_now
    FROM input
    JOIN reconciled.uploads AS u ON u.id = input.id
    WHERE u.lease_token = input.lease_token AND u.leased_by = $1::text
    FOR NO KEY UPDATE OF u SKIP LOCKED
),
settled AS (
    UPDATE reconciled.uploads AS u
    SET status = CASE WHEN held.agrees AND held.changes THEN held.status_after ELSE u.status END,
        received_chunks = CASE WHEN held.agrees AND held.changes
            THEN COALESCE(held.received_chunks, u.received_chunks) ELSE u.received_chunks END,
        missing = CASE WHEN held.agrees AND held.changes THEN COALESCE(held.missing, u.missing) ELSE u.missing END,
        merged_bytes = CASE WHEN held.agrees AND held.changes
            THEN COALESCE(held.merged_bytes, u.merged_bytes) ELSE u.merged_bytes END,
        last_activity_at = CASE WHEN held.agrees AND held.changes
            THEN GREATEST(held.last_activity_at, u.last_activity_at) ELSE u.last_activity_at END,
        location = CASE WHEN held.agrees AND held.changes THEN COALESCE(held.location, u.location) ELSE u.location END,
        etag = CASE WHEN held.agrees AND held.changes THEN COALESCE(held.etag, u.etag) ELSE u.etag END,
        reclaimed_at = CASE WHEN held.agrees AND held.changes AND held.reclaimed_bytes IS NOT NULL
            THEN now() ELSE u.reclaimed_at END,
        reclaimed_bytes = CASE WHEN held.agrees AND held.changes
            THEN u.reclaimed_bytes + COALESCE(held.reclaimed_bytes, 0) ELSE u.reclaimed_bytes END,
        review_reason = CASE WHEN held.agrees AND held.changes THEN held.review_reason ELSE u.review_reason END,
        review_detail = CASE WHEN held.agrees AND held.changes THEN held.review_detail ELSE u.review_detail END,
        -- An application that wrote next_check_at while we asked is right, unless the upload is put to rest. An
        -- overtaken one stays due: the next check decides on the new status.
        next_check_at = CASE
            WHEN NOT held.agrees AND held.status_now = ANY (string_to_array(held.contradicted, ',')) THEN now()
            WHEN held.agrees AND held.delay IS NULL THEN NULL
            WHEN held.next_check_now IS DISTINCT FROM held.due_at THEN held.next_check_now
            WHEN held.agrees THEN now() + held.delay
            ELSE now()
        END,
        check_count = u.check_count + 1,
        failure_count = CASE WHEN held.agrees THEN held.failure_count ELSE 0 END,
        claim_count = 0,
        lease_token = NULL,
        lease_expires_at = NULL,
        leased_by = NULL,
        -- What was noted of an overtaken upload stays: how far its file is written, what was put out of the way.
        progress = CASE WHEN held.agrees THEN held.progress ELSE u.progress END,
        last_checked_at = now(),
        last_verdict = CASE WHEN held.agrees THEN held.verdict ELSE 'overtaken' END,
        last_error = CASE WHEN held.agrees THEN held.error END,
        updated_at = now()
    FROM held
    WHERE u.id = held.id
    RETURNING held.position, held.id, u.store AS lane, held.agrees, held.status_now, u.status AS status_after,
        u.next_check_at,
        u.last_verdict AS verdict, held.reason, held.answer, held.duration_ms,
        u.review_reason IS DISTINCT FROM held.review_reason_now AS reason_changed,
        u.review_reason,
        CASE WHEN EXISTS (SELECT 1 FROM reconciled.endpoints) THEN u END AS row_after
),
history AS (
    INSERT INTO reconciled.history (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'uploads', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
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
                WHEN settled.reason_changed AND settled.review_reason IS NOT NULL THEN 'upload.review'
                WHEN settled.status_after <> settled.status_now AND settled.status_after IN ('complete', 'expired', 'review')
                    THEN 'upload.' || settled.status_after
            END AS type
        FROM history
        JOIN settled ON settled.id = history.row_id
        WHERE settled.agrees
    ) AS told
    WHERE told.type IS NOT NULL AND EXISTS (SELECT 1 FROM reconciled.endpoints)
),
deliveries AS (
    INSERT INTO reconciled.deliveries (endpoint, event_id, event_type, subject, payload)
    SELECT endpoint.name, reconciled.event_id(event.history_id), event.type, 'uploads/' || event.id, event.payload
    FROM event
    CROSS JOIN LATERAL (
        SELECT DISTINCT e.name
        FROM reconciled.endpoints AS e
        WHERE e.events && ARRAY['*', 'upload.*', event.type]
    ) AS endpoint
    ORDER BY event.history_id, endpoint.name
),
checks AS (
    INSERT INTO reconciled.checks (
        watch, row_id, lane, poller, verdict, status_before, status_after, reason, duration_ms, answer
    )
    SELECT 'uploads', settled.id, settled.lane, $1::text, settled.verdict, settled.status_now, settled.status_after,
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
            FROM reconciled.uploads AS u
            WHERE u.id = input.id AND u.lease_token = input.lease_token AND u.leased_by = $1::text
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
