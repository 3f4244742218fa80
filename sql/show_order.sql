-- One order.
--
-- Parameters: $1 text id
-- Result: one JSON object, or nothing.
SELECT reconciled.as_json(o) FROM reconciled.orders AS o WHERE o.id = $1::text;
