-- Adds timers. What is left out has the column's default; a timer that is there already stays as it is.
--
-- Parameters: $1 jsonb array of objects by column name, ids distinct; durations as in configuration (1m30s), which
--             PostgreSQL reads as intervals
-- Result: id, outcome and differing of each. Outcome: added, exists (every field sent is as it stands) or differs; NULL
--         when someone else added it at this very instant: ask again. Differing: the fields that do, with commas.
WITH input AS MATERIALIZED (
    SELECT object FROM jsonb_array_elements($1::jsonb) AS object
),
added AS (
    INSERT INTO reconciled.timers (
        id, every, anchor_at, lane, url, method, headers, body, catch_up, max_runs, ends_at, status, timeout,
        expect_status, metadata, next_check_at
    )
    SELECT t.id, t.every, COALESCE(t.anchor_at, now()), COALESCE(t.lane, 'timers'), t.url, t.method, t.headers, t.body,
        COALESCE(t.catch_up, 'skip'), t.max_runs, t.ends_at, COALESCE(t.status, 'active'), t.timeout,
        t.expect_status, COALESCE(t.metadata, '{}'),
        -- schedule_timer() puts the grid's first instant in the place of -infinity.
        CASE WHEN input.object ? 'next_check_at' THEN t.next_check_at ELSE '-infinity' END
    FROM input
    CROSS JOIN LATERAL jsonb_populate_record(NULL::reconciled.timers, input.object) AS t
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
SELECT input.object ->> 'id' AS id,
    CASE
        WHEN added.id IS NOT NULL THEN 'added'
        WHEN t.id IS NULL THEN NULL
        WHEN jsonb_populate_record(t, input.object) IS NOT DISTINCT FROM t THEN 'exists'
        ELSE 'differs'
    END AS outcome,
    CASE WHEN t.id IS NOT NULL AND jsonb_populate_record(t, input.object) IS DISTINCT FROM t THEN (
        SELECT string_agg(sent.name, ',' ORDER BY sent.name)
        FROM jsonb_each(to_jsonb(jsonb_populate_record(t, input.object))) AS sent (name, value)
        WHERE sent.value IS DISTINCT FROM to_jsonb(t) -> sent.name
    ) END AS differing
FROM input
LEFT JOIN added ON added.id = input.object ->> 'id'
LEFT JOIN reconciled.timers AS t ON t.id = input.object ->> 'id'
ORDER BY 1;
