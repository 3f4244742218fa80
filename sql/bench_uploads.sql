-- Sessions for a measurement, due at once; the name of each is its id.
--
-- Parameters: $1 text prefix of the ids, $2 text store, $3 integer count, $4 bigint bytes of each chunk,
--             $5 integer chunks of each, $6 text sha256 or NULL
INSERT INTO reconciled.uploads (id, store, name, total_bytes, chunk_bytes, chunk_count, sha256, next_check_at)
SELECT $1::text || number, $2::text, $1::text || number, $4::bigint * $5::integer, $4::bigint, $5::integer, $6::text,
    now()
FROM generate_series(0, $3::integer - 1) AS number;
