-- Registers orders. What is left out has the column's default; an order that is there already stays as it is.
--
-- Parameters: $1 jsonb array of objects by column name, ids distinct
-- Result: id, outcome and differing of each. Outcome: added, exists (every field sent is as it stands) or differs; NULL
--         when someone else added it at this very instant: ask again. Differing: the fields that do, with commas.
WITH input AS MATERIALIZED (
    SELECT object FROM jsonb_array_elements($1::jsonb) AS object
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
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
SELECT input.object ->> 'id' AS id,
    CASE
        WHEN added.id IS NOT NULL THEN 'added'
        WHEN o.id IS NULL THEN NULL
        WHEN jsonb_populate_record(o, input.object) IS NOT DISTINCT FROM o THEN 'exists'
        ELSE 'differs'
    END AS outcome,
    CASE WHEN o.id IS NOT NULL AND jsonb_populate_record(o, input.object) IS DISTINCT FROM o THEN (
        SELECT string_agg(sent.name, ',' ORDER BY sent.name)
        FROM jsonb_each(to_jsonb(jsonb_populate_record(o, input.object))) AS sent (name, value)
        WHERE sent.value IS DISTINCT FROM to_jsonb(o) -> sent.name
    ) END AS differing
FROM input
LEFT JOIN added ON added.id = input.object ->> 'id'
LEFT JOIN reconciled.orders AS o ON o.id = input.object ->> 'id'
ORDER BY 1;
