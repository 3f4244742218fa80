-- An upload whose chunks went and that goes on after all has its name and its chunks to itself again.
-- oldest: 1

-- `resolve` says so itself. An application may set the status and no more: with `reclaimed_at` left as it was, the name
-- would not be held against another session's, and chunks sent again would stay for ever.
CREATE FUNCTION reconciled.hold_name_again() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    NEW.reclaimed_at := NULL;
    RETURN NEW;
END
$$;

-- Uploads that are a view over someone's own table have its triggers there.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_class WHERE oid = 'reconciled.uploads'::regclass AND relkind = 'r') THEN
        CREATE TRIGGER uploads_hold_name_again BEFORE UPDATE OF status ON reconciled.uploads FOR EACH ROW
            WHEN (NEW.reclaimed_at IS NOT NULL AND NEW.status IN ('receiving', 'merging')
                AND OLD.status IS DISTINCT FROM NEW.status)
            EXECUTE FUNCTION reconciled.hold_name_again();
    END IF;
END
$$;
