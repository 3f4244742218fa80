-- Transactions of this database so far, for counting an idle poller's queries.
SELECT s.xact_commit + s.xact_rollback FROM pg_stat_database AS s WHERE s.datname = current_database();
