-- A person decides about a timer. 'active' resumes it on its grid, a finished one with its runs counted anew; 'paused'
-- and 'finished' put it to rest.
--
-- Parameters: $1 text id, $2 text status, $3 text note, $4 text actor
--             $5 text status and $6 text reason for review that the person saw (NULL status: whatever they are)
-- Result: the timer as one JSON object, or nothing if there is none that is as the person saw it.
-- A call under way finds the status changed and is overtaken; where it is the same, its outcome counts: a lease is never
-- taken away, for a timer is not called twice at once. Where the status changes, schedule_timer() does the rest.
WITH before AS MATERIALIZED (
    SELECT t.id, t.status
    FROM reconciled.timers AS t
    WHERE t.id = $1::text
        AND ($5::text IS NULL OR (t.status = $5::text AND t.review_reason IS NOT DISTINCT FROM $6::text))
    FOR NO KEY UPDATE
),
resolved AS (
    UPDATE reconciled.timers AS t
    SET status = $2::text,
        next_check_at = CASE
            WHEN $2::text = 'active' AND before.status = 'active' AND t.next_check_at IS NULL
                THEN reconciled.timer_instant(t.anchor_at, t.every, now())
            ELSE t.next_check_at
        END,
        review_reason = NULL,
        review_detail = NULL,
        failure_count = 0,
        claim_count = 0,
        last_error = NULL,
        updated_at = now()
    FROM before
    WHERE t.id = before.id
    RETURNING t.*
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason, answer)
    SELECT 'timers', resolved.id, resolved.lane, $4::text, before.status, resolved.status, 'RESOLVED',
        jsonb_build_object('note', $3::text)
    FROM resolved
    JOIN before ON before.id = resolved.id
)
SELECT reconciled.timer_json(t) FROM (SELECT (resolved.*)::reconciled.timers AS t FROM resolved) AS row;
