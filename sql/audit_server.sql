-- What of the server slows claims down or makes times doubtful.
--
-- Result: now, server_version, xmin_age, dead_rows, live_rows of the watched tables.
--   xmin_age  interval of the oldest open snapshot. Without pg_read_all_stats other roles' are not seen: it is the oldest of
--             ours then, or NULL, for nobody can tell
SELECT clock_timestamp() AS now,
    current_setting('server_version') AS server_version,
    COALESCE(
        (
            SELECT max(now() - a.xact_start)
            FROM pg_stat_activity AS a
            WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid() AND a.datname = current_database()
        ),
        CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN interval '0' END
    ) AS xmin_age,
    COALESCE(sum(s.n_dead_tup), 0)::bigint AS dead_rows,
    COALESCE(sum(s.n_live_tup), 0)::bigint AS live_rows
FROM pg_stat_user_tables AS s
WHERE s.schemaname = 'reconciled' AND s.relname IN ('orders', 'uploads', 'timers', 'deliveries');
