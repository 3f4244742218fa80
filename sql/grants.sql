-- Least privilege for the three kinds of user; `reconciled migrate --grants` prints this. Rename the roles as you like.
CREATE ROLE reconciled_application NOLOGIN;
CREATE ROLE reconciled_poller NOLOGIN;
CREATE ROLE reconciled_reader NOLOGIN;

GRANT USAGE ON SCHEMA reconciled TO reconciled_application, reconciled_poller, reconciled_reader;

-- The application inserts, nudges, cancels and reads, from its own transactions.
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciled.orders, reconciled.uploads, reconciled.timers TO reconciled_application;
GRANT SELECT ON reconciled.deliveries, reconciled.history, reconciled.checks TO reconciled_application;

-- Pollers and the command line.
GRANT SELECT, INSERT, UPDATE, DELETE ON reconciled.orders, reconciled.uploads, reconciled.timers,
    reconciled.deliveries, reconciled.endpoints, reconciled.lanes, reconciled.pollers TO reconciled_poller;
GRANT SELECT, INSERT, DELETE ON reconciled.samples TO reconciled_poller;
GRANT SELECT, INSERT ON reconciled.history, reconciled.checks TO reconciled_poller;
GRANT SELECT ON reconciled.schema_migrations TO reconciled_poller;
GRANT USAGE ON SEQUENCE reconciled.lease_token_seq, reconciled.checks_id_seq TO reconciled_poller;
GRANT EXECUTE ON FUNCTION reconciled.make_check_partitions(), reconciled.forget_old_checks() TO reconciled_poller;
-- To see how old other roles' snapshots are: they hold up the vacuum of what pollers leave behind.
GRANT pg_read_all_stats TO reconciled_poller;

GRANT SELECT ON ALL TABLES IN SCHEMA reconciled TO reconciled_reader;
