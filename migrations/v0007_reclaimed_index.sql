-- What reclaiming has freed is told at a bounded cost: the sum over all uploads takes a second a million.
-- oldest: 1

-- The uploads of a store that were reclaimed last. The bytes go with it, to be added up without the rows. An upload comes in
-- once, when it goes to rest for good; claims touch none of these columns and stay HOT.
-- A watch that is a view over someone's own table has its index there.
DO $$
BEGIN
    IF EXISTS (
        SELECT 1
        FROM pg_class AS c
        WHERE c.relnamespace = 'reconciled'::regnamespace AND c.relname = 'uploads' AND c.relkind = 'r'
    ) THEN
        CREATE INDEX uploads_reclaimed_idx ON reconciled.uploads (store, reclaimed_at) INCLUDE (reclaimed_bytes)
            WHERE reclaimed_at IS NOT NULL;
    END IF;
END
$$;
