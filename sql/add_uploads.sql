-- Registers uploads. What is left out has the column's default; an upload that is there already stays as it is.
--
-- Parameters: $1 jsonb array of objects by column name, ids distinct
--             $2 text actor
-- Result: id, outcome and differing of each. Outcome: added, exists (every field sent is as it stands) or differs; NULL
--         when someone else added it at this very instant: ask again. Differing: the fields that do, with commas.
-- next_check_at and the status 'receiving' are not compared: they are where a row begins, and pollers move it on. Null
-- stands for what the column holds when it is left out, and is not compared where that is the instant of the adding
-- (created_at), or where a person's decision gives it a value of its own (expires_at).
WITH sent AS (
    -- A digest is one in either case; the column holds lower case.
    SELECT CASE
            WHEN element ? 'sha256' THEN element || jsonb_build_object('sha256', lower(element ->> 'sha256'))
            ELSE element
        END AS object
    FROM jsonb_array_elements($1::jsonb) AS element
),
input AS MATERIALIZED (
    SELECT sent.object,
        (sent.object || (
            SELECT COALESCE(jsonb_object_agg(standard.name, standard.value), '{}')
            FROM jsonb_each(jsonb_build_object(
                'metadata', '{}'::jsonb,
                'chunk_count', ceil(
                    (sent.object ->> 'total_bytes')::numeric / NULLIF((sent.object ->> 'chunk_bytes')::numeric, 0)
                )
            )) AS standard (name, value)
            WHERE sent.object -> standard.name = 'null'
        )) - '{next_check_at}'::text[]
            - CASE
                WHEN COALESCE(sent.object ->> 'status', 'receiving') = 'receiving' THEN '{status}'::text[]
                ELSE '{}'
            END
            - CASE WHEN sent.object ->> 'created_at' IS NULL THEN '{created_at}'::text[] ELSE '{}' END
            - CASE WHEN sent.object ->> 'expires_at' IS NULL THEN '{expires_at}'::text[] ELSE '{}' END AS compared
    FROM sent
),
added AS (
    INSERT INTO reconciled.uploads (
        id, store, name, total_bytes, chunk_bytes, chunk_count, sha256, status, expires_at, s3_upload_id, metadata,
        next_check_at, created_at
    )
    SELECT u.id, u.store, u.name, u.total_bytes, u.chunk_bytes,
        -- As many as it takes, the last one no longer than the others.
        COALESCE(u.chunk_count, ceil(u.total_bytes::numeric / NULLIF(u.chunk_bytes, 0))::integer), u.sha256,
        COALESCE(u.status, 'receiving'), u.expires_at, u.s3_upload_id, COALESCE(u.metadata, '{}'),
        CASE WHEN input.object ? 'next_check_at' THEN u.next_check_at ELSE now() + interval '5 seconds' END,
        COALESCE(u.created_at, now())
    FROM input
    CROSS JOIN LATERAL jsonb_populate_record(NULL::reconciled.uploads, input.object) AS u
    -- In one order whoever adds them, so that two who add the same rows do not lock each other out.
    ORDER BY u.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, store, status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'uploads', added.id, added.store, $2::text, added.status, added.status, 'ADDED'
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
    SELECT u.id,
        CASE WHEN jsonb_populate_record(u, input.compared) IS DISTINCT FROM u THEN (
            SELECT string_agg(sent.name, ',' ORDER BY sent.name)
            FROM jsonb_each(to_jsonb(jsonb_populate_record(u, input.compared))) AS sent (name, value)
            WHERE sent.value IS DISTINCT FROM to_jsonb(u) -> sent.name
        ) END AS differing
    FROM reconciled.uploads AS u
    WHERE u.id = input.object ->> 'id' AND added.id IS NULL
    LIMIT 1
) AS standing ON true
ORDER BY 1;
