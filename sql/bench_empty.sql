-- Empties what measurements filled; only after bench_may_empty.sql has allowed it.
TRUNCATE reconciled.orders, reconciled.uploads, reconciled.timers, reconciled.history, reconciled.checks;
