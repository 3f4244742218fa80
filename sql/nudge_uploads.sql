-- Makes uploads due now, whatever their schedule: by hand, so it is recorded.
--
-- Parameters: $1 text[] ids, $2 text actor
-- Result: id of each upload that exists.
WITH nudged AS (
    UPDATE reconciled.uploads AS u
    SET next_check_at = now()
    WHERE u.id = ANY ($1::text[])
    RETURNING u.id, u.store, u.status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'uploads', nudged.id, nudged.store, $2::text, nudged.status, nudged.status, 'NUDGED'
    FROM nudged
)
SELECT nudged.id FROM nudged ORDER BY nudged.id;
