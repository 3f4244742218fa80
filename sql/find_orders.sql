-- Orders that go by a name: the order's own, the gateway's reference or its transaction.
--
-- Parameters: $1 text name, $2 text[] lanes in which a gateway's names are looked for, $3 integer how many at most
-- Result: id of each.
SELECT o.id FROM reconciled.orders AS o WHERE o.id = $1::text
UNION
SELECT o.id
FROM unnest($2::text[]) AS lane (name)
JOIN reconciled.orders AS o ON o.gateway = lane.name AND o.gateway_ref = $1::text
UNION
SELECT o.id
FROM unnest($2::text[]) AS lane (name)
JOIN reconciled.orders AS o ON o.gateway = lane.name AND o.gateway_txn_id = $1::text
ORDER BY 1
LIMIT $3::integer;
