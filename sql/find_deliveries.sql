-- Deliveries that go by a name: their id, or the event's.
--
-- Parameters: $1 text name, $2 text[] lanes (not looked at: an event's id is enough), $3 integer how many at most
-- Result: id of each.
SELECT d.id::text FROM reconciled.deliveries AS d WHERE d.id = reconciled.delivery_id($1::text)
UNION
SELECT d.id::text FROM reconciled.deliveries AS d WHERE d.event_id = $1::text AND $2::text[] IS NOT NULL
ORDER BY 1
LIMIT $3::integer;
