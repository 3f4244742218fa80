-- How many orders a measurement has fixed, each with one change in history.
--
-- Result: paid, changes.
SELECT (SELECT count(*) FROM reconciled.orders AS o WHERE o.status = 'paid') AS paid,
    (SELECT count(*) FROM reconciled.history AS h WHERE h.status_after = 'paid') AS changes;
