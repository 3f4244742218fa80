-- One delivery.
--
-- Parameters: $1 text id
-- Result: one JSON object, or nothing.
SELECT reconciled.as_json(d) FROM reconciled.deliveries AS d WHERE d.id = reconciled.delivery_id($1::text);
