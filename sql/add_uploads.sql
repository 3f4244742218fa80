-- Registers uploads. What is left out has the column's default; an upload that is there already stays as it is.
--
-- Parameters: $1 jsonb array of objects by column name, ids distinct
-- Result: id, outcome and differing of each. Outcome: added, exists (every field sent is as it stands) or differs; NULL
--         when someone else added it at this very instant: ask again. Differing: the fields that do, with commas.
WITH input AS MATERIALIZED (
    -- A digest is one in either case; the column holds lower case.
    SELECT CASE
            WHEN element ? 'sha256' THEN element || jsonb_build_object('sha256', lower(element ->> 'sha256'))
            ELSE element
        END AS object
    FROM jsonb_array_elements($1::jsonb) AS element
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
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
SELECT input.object ->> 'id' AS id,
    CASE
        WHEN added.id IS NOT NULL THEN 'added'
        WHEN u.id IS NULL THEN NULL
        WHEN jsonb_populate_record(u, input.object) IS NOT DISTINCT FROM u THEN 'exists'
        ELSE 'differs'
    END AS outcome,
    CASE WHEN u.id IS NOT NULL AND jsonb_populate_record(u, input.object) IS DISTINCT FROM u THEN (
        SELECT string_agg(sent.name, ',' ORDER BY sent.name)
        FROM jsonb_each(to_jsonb(jsonb_populate_record(u, input.object))) AS sent (name, value)
        WHERE sent.value IS DISTINCT FROM to_jsonb(u) -> sent.name
    ) END AS differing
FROM input
LEFT JOIN added ON added.id = input.object ->> 'id'
LEFT JOIN reconciled.uploads AS u ON u.id = input.object ->> 'id'
ORDER BY 1;
