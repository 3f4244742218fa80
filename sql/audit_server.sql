-- What of the server slows claims down or makes times doubtful.
--
-- Result: now, server_version, xmin_age (interval of the oldest open snapshot or NULL), dead_rows, live_rows
--         of the watched tables.
SELECT clock_timestamp() AS now,
    current_setting('server_version') AS server_version,
    (
        SELECT max(now() - a.xact_start)
        FROM pg_stat_activity AS a
        WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid() AND a.datname = current_database()
    ) AS xmin_age,
    COALESCE(sum(s.n_dead_tup), 0)::bigint AS dead_rows,
    COALESCE(sum(s.n_live_tup), 0)::bigint AS live_rows
FROM pg_stat_user_tables AS s
WHERE s.schemaname = 'reconciled' AND s.relname IN ('orders', 'uploads');
