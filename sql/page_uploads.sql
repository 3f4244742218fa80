-- A page of uploads for people, by id: looks at a bounded number of them, so that what is rare in a large table costs no more
-- than what is common.
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
    SELECT u.id, u.status, u.next_check_at
    FROM reconciled.uploads AS u
    WHERE u.id > $3::text AND u.id >= $2::text
        AND ($2::text = '' OR u.id < $2::text || chr(1114111))
    ORDER BY u.id
    LIMIT $5::integer
),
found AS MATERIALIZED (
    SELECT looked.id
    FROM looked
    WHERE ($1::text IS NULL OR looked.status = $1::text) AND (NOT $6::boolean OR looked.next_check_at <= now())
    ORDER BY looked.id
    LIMIT $4::integer
)
SELECT shown.upload, shown.last_id
FROM (
    SELECT reconciled.as_json(u) AS upload, NULL::text AS last_id, u.id
    FROM found
    JOIN reconciled.uploads AS u ON u.id = found.id
    UNION ALL
    SELECT NULL,
        CASE
            WHEN (SELECT count(*) FROM found) >= $4::integer THEN (SELECT max(found.id) FROM found)
            WHEN (SELECT count(*) FROM looked) >= $5::integer THEN (SELECT max(looked.id) FROM looked)
        END,
        NULL
) AS shown
ORDER BY shown.id NULLS LAST;
