-- Adds timers. What is left out has the column's default; a timer that is there already stays as it is.
--
-- Parameters: $1 jsonb array of objects by column name, ids distinct; durations as in configuration (1m30s), which
--             PostgreSQL reads as intervals
--             $2 text actor
-- Result: id, outcome and differing of each. Outcome: added, exists (every field sent is as it stands) or differs; NULL
--         when someone else added it at this very instant: ask again. Differing: the fields that do, with commas.
-- next_check_at and the status 'active' are not compared: they are where a row begins, and pollers move it on. Null
-- stands for what the column holds when it is left out, and is not compared where that is the instant of the adding
-- (anchor_at). What a method is when left out goes by the body: where none is sent it is not compared either.
WITH input AS MATERIALIZED (
    SELECT object,
        (object || (
            SELECT COALESCE(jsonb_object_agg(standard.name, standard.value), '{}')
            FROM jsonb_each(jsonb_build_object(
                'lane', 'timers', 'catch_up', 'skip', 'metadata', '{}'::jsonb,
                'method', CASE WHEN object ->> 'body' IS NULL THEN 'GET' ELSE 'POST' END
            )) AS standard (name, value)
            WHERE object -> standard.name = 'null'
        )) - '{next_check_at}'::text[]
            - CASE COALESCE(object ->> 'status', 'active') WHEN 'active' THEN '{status}'::text[] ELSE '{}' END
            - CASE WHEN object ->> 'anchor_at' IS NULL THEN '{anchor_at}'::text[] ELSE '{}' END
            - CASE WHEN object ->> 'method' IS NULL AND NOT object ? 'body' THEN '{method}'::text[] ELSE '{}' END
            AS compared
    FROM jsonb_array_elements($1::jsonb) AS object
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
    -- In one order whoever adds them, so that two who add the same rows do not lock each other out.
    ORDER BY t.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, lane, status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'timers', added.id, added.lane, $2::text, added.status, added.status, 'ADDED'
    FROM added
)
SELECT input.object ->> 'id' AS id,
    CASE
        WHEN added.id IS NOT NULL THEN 'added'
        WHEN standing.id IS NULL THEN NULL
        WHEN standing.differing IS NULL THEN 'exists'
        ELSE 'differs'
    END AS outcome,
    standing.differing
FROM input
LEFT JOIN added ON added.id = input.object ->> 'id'
-- The limit keeps to the index also where the table has no statistics yet.
LEFT JOIN LATERAL (
    SELECT t.id,
        CASE WHEN jsonb_populate_record(t, input.compared) IS DISTINCT FROM t THEN (
            SELECT string_agg(sent.name, ',' ORDER BY sent.name)
            FROM jsonb_each(to_jsonb(jsonb_populate_record(t, input.compared))) AS sent (name, value)
            WHERE sent.value IS DISTINCT FROM to_jsonb(t) -> sent.name
        ) END AS differing
    FROM reconciled.timers AS t
    WHERE t.id = input.object ->> 'id' AND added.id IS NULL
    LIMIT 1
) AS standing ON true
ORDER BY 1;
