-- Timers that go by a name: their id.
--
-- Parameters: $1 text name, $2 text[] lanes (not looked at: an id is enough), $3 integer how many at most
-- Result: id of each.
SELECT t.id FROM reconciled.timers AS t WHERE t.id = $1::text AND $2::text[] IS NOT NULL LIMIT $3::integer;
