-- Whether any migration was ever applied.
SELECT to_regclass('reconciled.schema_migrations') IS NOT NULL;
