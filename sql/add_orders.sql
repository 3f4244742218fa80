-- Registers orders. What is left out has the column's default; an order that is there already stays as it is.
--
-- Parameters: $1 jsonb array of objects by column name, ids distinct
--             $2 text actor
-- Result: id, outcome and differing of each. Outcome: added, exists (every field sent is as it stands) or differs; NULL
--         when someone else added it at this very instant: ask again. Differing: the fields that do, with commas.
-- next_check_at and the status 'pending' are not compared: they are where a row begins, and pollers move it on. Null
-- stands for what the column holds when it is left out, and is not compared where that is the instant of the adding
-- (created_at), or where a person's decision gives it a value of its own (give_up_at).
WITH input AS MATERIALIZED (
    SELECT object,
        (object || (
            SELECT COALESCE(jsonb_object_agg(standard.name, standard.value), '{}')
            FROM jsonb_each('{"metadata": {}}') AS standard (name, value)
            WHERE object -> standard.name = 'null'
        )) - '{next_check_at}'::text[]
            - CASE COALESCE(object ->> 'status', 'pending') WHEN 'pending' THEN '{status}'::text[] ELSE '{}' END
            - CASE WHEN object ->> 'created_at' IS NULL THEN '{created_at}'::text[] ELSE '{}' END
            - CASE WHEN object ->> 'give_up_at' IS NULL THEN '{give_up_at}'::text[] ELSE '{}' END AS compared
    FROM jsonb_array_elements($1::jsonb) AS object
),
added AS (
    INSERT INTO reconciled.orders (
        id, gateway, gateway_ref, amount_minor, currency, status, expires_at, give_up_at, metadata, next_check_at,
        created_at
    )
    SELECT o.id, o.gateway, o.gateway_ref, o.amount_minor, o.currency, COALESCE(o.status, 'pending'), o.expires_at,
        o.give_up_at, COALESCE(o.metadata, '{}'),
        CASE WHEN input.object ? 'next_check_at' THEN o.next_check_at ELSE now() + interval '5 seconds' END,
        COALESCE(o.created_at, now())
    FROM input
    CROSS JOIN LATERAL jsonb_populate_record(NULL::reconciled.orders, input.object) AS o
    -- In one order whoever adds them, so that two who add the same rows do not lock each other out.
    ORDER BY o.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, gateway, status
),
history AS (
    INSERT INTO reconciled.history (watch, row_id, lane, actor, status_before, status_after, reason)
    SELECT 'orders', added.id, added.gateway, $2::text, added.status, added.status, 'ADDED'
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
    SELECT o.id,
        CASE WHEN jsonb_populate_record(o, input.compared) IS DISTINCT FROM o THEN (
            SELECT string_agg(sent.name, ',' ORDER BY sent.name)
            FROM jsonb_each(to_jsonb(jsonb_populate_record(o, input.compared))) AS sent (name, value)
            WHERE sent.value IS DISTINCT FROM to_jsonb(o) -> sent.name
        ) END AS differing
    FROM reconciled.orders AS o
    WHERE o.id = input.object ->> 'id' AND added.id IS NULL
    LIMIT 1
) AS standing ON true
ORDER BY 1;
