-- The newest entries of the history over all watches, newest first.
--
-- Parameters: $1 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(newest)
FROM (
    SELECT h.id, h.at, h.watch, h.row_id, h.lane, h.poller, h.actor, h.verdict, h.status_before, h.status_after,
        h.reason, h.duration_ms, h.answer
    FROM reconciled.history AS h
    ORDER BY h.id DESC
    LIMIT $1::integer
) AS newest
ORDER BY newest.id DESC;
