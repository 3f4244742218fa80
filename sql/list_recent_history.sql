-- The newest changes over all watches, newest first: of the newest thousand entries of the history, those that are more than
-- a row's arrival, of which an application may make thousands a second.
--
-- Parameters: $1 integer how many at most
-- Result: one JSON object each.
SELECT reconciled.as_json(newest)
FROM (
    SELECT h.id, h.at, h.watch, h.row_id, h.lane, h.poller, h.actor, h.verdict, h.status_before, h.status_after,
        h.reason, h.duration_ms, h.answer
    FROM reconciled.history AS h
    ORDER BY h.id DESC
    LIMIT 1000
) AS newest
WHERE newest.reason IS DISTINCT FROM 'ADDED'
ORDER BY newest.id DESC
LIMIT $1::integer;
