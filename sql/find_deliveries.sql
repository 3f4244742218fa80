-- Deliveries that go by a name: their number, or the webhook-id that a receiver knows.
--
-- Parameters: $1 text name, $2 text[] lanes (not looked at: a name is enough), $3 integer how many at most
-- Result: id of each.
SELECT found.id::text
FROM (
    SELECT d.id FROM reconciled.deliveries AS d WHERE d.id = reconciled.delivery_id($1::text)
    UNION
    SELECT d.id FROM reconciled.deliveries AS d WHERE d.event_id = $1::text
) AS found
WHERE $2::text[] IS NOT NULL
ORDER BY found.id
LIMIT $3::integer;
