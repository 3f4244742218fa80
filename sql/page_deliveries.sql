-- A page of deliveries for people, by id: looks at a bounded number of them, so that what is rare in a large table costs no
-- more than what is common.
--
-- Parameters
--   $1 text     status (NULL: any)
--   $2 text     beginning of the id ('': any)
--   $3 text     after this id ('': from the start)
--   $4 integer  how many at most
--   $5 integer  how many to look at
--   $6 boolean  only those due now
-- Result: one JSON object each (NULL for the last row), and in the last row the last id that was looked at; that is NULL
--         when nothing comes after it.
WITH looked AS MATERIALIZED (
    SELECT d.id, d.status, d.next_check_at
    FROM reconciled.deliveries AS d
    WHERE d.id > COALESCE(reconciled.delivery_id($3::text), 0)
    ORDER BY d.id
    LIMIT $5::integer
),
-- Numbers that begin alike do not lie together, as texts do.
found AS MATERIALIZED (
    SELECT looked.id
    FROM looked
    WHERE ($1::text IS NULL OR looked.status = $1::text) AND (NOT $6::boolean OR looked.next_check_at <= now())
        AND starts_with(looked.id::text, $2::text)
    ORDER BY looked.id
    LIMIT $4::integer
)
SELECT row.delivery, row.last_id
FROM (
    SELECT d.id, reconciled.as_json(d) AS delivery, NULL::text AS last_id
    FROM found
    JOIN reconciled.deliveries AS d ON d.id = found.id
    UNION ALL
    SELECT NULL, NULL,
        CASE
            WHEN (SELECT count(*) FROM found) >= $4::integer THEN (SELECT max(found.id) FROM found)::text
            WHEN (SELECT count(*) FROM looked) >= $5::integer THEN (SELECT max(looked.id) FROM looked)::text
        END
) AS row
ORDER BY row.id NULLS LAST;
