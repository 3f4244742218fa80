-- Entries of the history that someone who follows it has not seen: the next ones, and late ones among those before.
--
-- Parameters: $1 bigint after this id, $2 bigint[] ids before it that were missing, $3 integer how many at most
-- Result: id, watch and one JSON object each, by id.
SELECT unseen.id, unseen.watch, reconciled.as_json(unseen) AS entry
FROM (
    SELECT h.id, h.at, h.watch, h.row_id, h.lane, h.poller, h.actor, h.verdict, h.status_before, h.status_after,
        h.reason, h.duration_ms, h.answer
    FROM reconciled.history AS h
    WHERE h.id = ANY ($2::bigint[])
    UNION ALL
    (
        SELECT h.id, h.at, h.watch, h.row_id, h.lane, h.poller, h.actor, h.verdict, h.status_before, h.status_after,
            h.reason, h.duration_ms, h.answer
        FROM reconciled.history AS h
        WHERE h.id > $1::bigint
        ORDER BY h.id
        LIMIT $3::integer
    )
) AS unseen
ORDER BY unseen.id;
