-- What reclaiming chunks has freed, by lane: of the uploads that were reclaimed last, to a bound; run after read_by_index.sql.
--
-- Parameters: $1 text[] lanes, $2 integer count to at most in each
-- Result: lane, uploads, is_whole (false: more were reclaimed before them), bytes.
SELECT input.name AS lane, reclaimed.uploads, reclaimed.is_whole, reclaimed.bytes
FROM unnest($1::text[]) AS input (name)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE bounded.place <= $2::integer) AS uploads,
        count(*) <= $2::integer AS is_whole,
        COALESCE(sum(bounded.reclaimed_bytes) FILTER (WHERE bounded.place <= $2::integer), 0)::bigint AS bytes
    FROM (
        SELECT u.reclaimed_bytes, row_number() OVER (ORDER BY u.reclaimed_at DESC) AS place
        FROM reconciled.uploads AS u
        WHERE u.store = input.name AND u.reclaimed_at IS NOT NULL
        ORDER BY u.reclaimed_at DESC
        LIMIT $2::integer + 1
    ) AS bounded
) AS reclaimed
WHERE reclaimed.uploads > 0
ORDER BY input.name;
