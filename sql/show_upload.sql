-- One upload.
--
-- Parameters: $1 text id
-- Result: one JSON object, or nothing.
SELECT reconciled.as_json(u) FROM reconciled.uploads AS u WHERE u.id = $1::text;
