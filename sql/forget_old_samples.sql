-- Forgets samples older than a day, the oldest ones first, so many at most.
--
-- Parameters: $1 integer how many at most
DELETE FROM reconciled.samples AS s
WHERE s.ctid = ANY (ARRAY(
    SELECT oldest.ctid
    FROM reconciled.samples AS oldest
    WHERE oldest.at < now() - interval '1 day'
    ORDER BY oldest.at
    LIMIT $1::integer
));
