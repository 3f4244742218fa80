-- The migrations that were applied.
--
-- Result: version, name, checksum, oldest (the oldest schema version whose pollers may run on this one), applied_at.
SELECT m.version, m.name, m.checksum, m.oldest, m.applied_at
FROM reconciled.schema_migrations AS m
ORDER BY m.version;
