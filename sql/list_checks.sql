-- What the questions about a row were answered, oldest first.
--
-- Parameters: $1 text watch, $2 text row id, $3 integer how many at most (the newest)
-- Result: one JSON object each.
SELECT reconciled.as_json(newest)
FROM (
    SELECT c.id, c.at, c.watch, c.row_id, c.lane, c.poller, c.actor, c.verdict, c.status_before, c.status_after,
        c.reason, c.duration_ms, c.answer
    FROM reconciled.checks AS c
    WHERE c.row_id = $2::text AND c.watch = $1::text
    -- As checks_row_idx has them: no more is read than is asked for, however often the row was checked. Ids follow the
    -- checks since v0008; for those of sessions from before it, see there.
    ORDER BY c.id DESC
    LIMIT $3::integer
) AS newest
ORDER BY newest.at, newest.id;
