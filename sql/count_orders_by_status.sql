-- Orders by status and reason for review, at a cost that is the same however many there are; run after
-- read_by_index.sql.
--
-- Parameters: $1 integer count to at most
-- Result: status, review_reason (or NULL), count, is_whole (false: there are so many at least).
--
-- Up to $1 orders are counted all. Of more, those with a reason are counted by themselves; no index tells the others by status,
-- and they are counted among the first by id and among those that wait, where the rare ones are. For their number see
-- estimate_statuses.sql.
WITH looked AS MATERIALIZED (
    SELECT o.status, o.review_reason
    FROM reconciled.orders AS o
    ORDER BY o.id
    LIMIT $1::integer + 1
),
size AS MATERIALIZED (
    SELECT count(*) > $1::integer AS is_large
    FROM looked
),
reviewed AS MATERIALIZED (
    SELECT o.status, o.review_reason
    FROM reconciled.orders AS o
    WHERE (SELECT size.is_large FROM size) AND o.review_reason IS NOT NULL
    ORDER BY o.review_at, o.id
    LIMIT $1::integer + 1
),
waiting AS MATERIALIZED (
    SELECT o.status, o.review_reason
    FROM reconciled.orders AS o
    WHERE (SELECT size.is_large FROM size) AND o.next_check_at IS NOT NULL
    ORDER BY o.gateway, o.next_check_at, o.id
    LIMIT $1::integer / 10
)
SELECT counted.status, counted.review_reason, max(counted.count) AS count, bool_and(counted.is_whole) AS is_whole
FROM (
    SELECT looked.status, looked.review_reason, count(*) AS count, NOT size.is_large AS is_whole
    FROM looked
    CROSS JOIN size
    WHERE NOT size.is_large OR looked.review_reason IS NULL
    GROUP BY looked.status, looked.review_reason, size.is_large
    UNION ALL
    SELECT waiting.status, NULL, count(*), false
    FROM waiting
    WHERE waiting.review_reason IS NULL
    GROUP BY waiting.status
    UNION ALL
    SELECT reviewed.status, reviewed.review_reason, count(*), (SELECT count(*) FROM reviewed) <= $1::integer
    FROM reviewed
    GROUP BY reviewed.status, reviewed.review_reason
) AS counted
GROUP BY counted.status, counted.review_reason
ORDER BY counted.status, counted.review_reason NULLS FIRST;
