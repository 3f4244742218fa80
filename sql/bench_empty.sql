-- Empties what measurements filled; only after bench_may_empty.sql has allowed it.
TRUNCATE reconciled.orders, reconciled.history, reconciled.checks;
