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
    -- Sessions take their ids in blocks, so that these are in order only within one.
    ORDER BY c.at DESC, c.id DESC
    LIMIT $3::integer
) AS newest
ORDER BY newest.at, newest.id;
