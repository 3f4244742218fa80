-- The ids of the newest entries of the history.
--
-- Parameters: $1 integer how many at most
-- Result: id of each, by id.
SELECT newest.id
FROM (SELECT h.id FROM reconciled.history AS h ORDER BY h.id DESC LIMIT $1::integer) AS newest
ORDER BY newest.id;
