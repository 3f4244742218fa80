-- Records a migration in the transaction that applied it.
--
-- Parameters: $1 integer version, $2 text name, $3 text checksum, $4 integer oldest
INSERT INTO reconciled.schema_migrations (version, name, checksum, oldest)
VALUES ($1::integer, $2::text, $3::text, $4::integer);
