-- A row's history, oldest first.
--
-- Parameters: $1 text watch, $2 text row id, $3 integer how many at most (the newest)
-- Result: one JSON object each.
SELECT reconciled.as_json(newest)
FROM (
    SELECT h.id, h.at, h.watch, h.row_id, h.lane, h.poller, h.actor, h.verdict, h.status_before, h.status_after,
        h.reason, h.duration_ms, h.answer
    FROM reconciled.history AS h
    WHERE h.watch = $1::text AND h.row_id = $2::text
    ORDER BY h.id DESC
    LIMIT $3::integer
) AS newest
ORDER BY newest.id;
