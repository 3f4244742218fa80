-- Has deliveries made now: by hand, so it is recorded. A delivered one is not made again; one in review is tried once.
--
-- Parameters: $1 text[] ids, $2 text actor
-- Result: id of each delivery that exists.
WITH nudged AS (
    UPDATE reconciled.deliveries AS d
    SET next_check_at = now()
    WHERE d.id = ANY (ARRAY(SELECT reconciled.delivery_id(input.id) FROM unnest($1::text[]) AS input (id)))
    RETURNING d.id::text AS id, d.endpoint AS lane, d.status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'deliveries', nudged.id, nudged.lane, $2::text, nudged.status, nudged.status, 'NUDGED'
    FROM nudged
)
SELECT nudged.id FROM nudged ORDER BY nudged.id;
