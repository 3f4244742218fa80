-- What the first migration stands on. Run under the migrations' lock.
CREATE SCHEMA IF NOT EXISTS reconciled;
CREATE TABLE IF NOT EXISTS reconciled.schema_migrations (
    version integer CONSTRAINT schema_migrations_pkey PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    oldest integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
