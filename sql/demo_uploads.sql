-- The demo's uploads, due at once. Only an abandoned one may expire while the demo lasts.
--
-- Parameters: $1 text[] ids, $2 text[] stores, $3 text[] names, $4 bigint[] total_bytes, $5 bigint[] chunk_bytes,
--             $6 integer[] chunk_counts, $7 text[] sha256 (NULL: unknown), $8 boolean[] whether it is abandoned
INSERT INTO reconciled.uploads (
    id, store, name, total_bytes, chunk_bytes, chunk_count, sha256, expires_at, next_check_at
)
SELECT input.id, input.store, input.name, input.total_bytes, input.chunk_bytes, input.chunk_count, input.sha256,
    CASE WHEN NOT input.abandoned THEN now() + interval '1 hour' END, now()
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::integer[], $7::text[], $8::boolean[]
) AS input (id, store, name, total_bytes, chunk_bytes, chunk_count, sha256, abandoned);
