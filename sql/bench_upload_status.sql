-- What has become of an upload of a measurement.
--
-- Parameters: $1 text id
-- Result: status.
SELECT u.status FROM reconciled.uploads AS u WHERE u.id = $1::text;
