-- Uploads that go by a name: the session's id, or the target's name while its chunks are not reclaimed.
--
-- Parameters: $1 text name, $2 text[] lanes in which a target is looked for, $3 integer how many at most
-- Result: id of each.
SELECT u.id FROM reconciled.uploads AS u WHERE u.id = $1::text
UNION
SELECT u.id
FROM unnest($2::text[]) AS lane (name)
JOIN reconciled.uploads AS u ON u.store = lane.name AND u.name = $1::text AND u.reclaimed_at IS NULL
ORDER BY 1
LIMIT $3::integer;
