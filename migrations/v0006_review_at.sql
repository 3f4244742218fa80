-- Since when a row waits for a human: updated_at is moved by every check of it.
-- oldest: 1

-- Whoever gives a row a reason for review, a poller, a person or the application, begins its wait; another reason is another
-- case, and none is none. A settle names the column each time: the trigger's condition is all that it costs it.
CREATE FUNCTION reconciled.note_review() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.review_reason IS NULL THEN
        NEW.review_at := NULL;
    ELSIF TG_OP = 'UPDATE' OR NEW.review_at IS NULL THEN
        NEW.review_at := now();
    END IF;
    RETURN NEW;
END
$$;

-- A watch that is a view over someone's own table has its column and its triggers there.
DO $$
DECLARE
    watch name;
BEGIN
    FOR watch IN
        SELECT c.relname
        FROM pg_class AS c
        WHERE c.relnamespace = 'reconciled'::regnamespace AND c.relkind = 'r'
            AND c.relname IN ('orders', 'uploads', 'timers', 'deliveries')
    LOOP
        EXECUTE format('ALTER TABLE reconciled.%I ADD COLUMN review_at timestamptz', watch);
        -- The best that is known of those that wait already.
        EXECUTE format('UPDATE reconciled.%I SET review_at = updated_at WHERE review_reason IS NOT NULL', watch);
        -- The queue for humans, those that wait longest first. The reason goes with it, to be counted without the rows.
        EXECUTE format('DROP INDEX reconciled.%I', watch || '_review_idx');
        EXECUTE format(
            'CREATE INDEX %I ON reconciled.%I (review_at, id) INCLUDE (review_reason) WHERE review_reason IS NOT NULL',
            watch || '_review_idx', watch);
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE INSERT ON reconciled.%I FOR EACH ROW
                WHEN (NEW.review_reason IS NOT NULL) EXECUTE FUNCTION reconciled.note_review()',
            watch || '_review_insert', watch);
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OF review_reason ON reconciled.%I FOR EACH ROW
                WHEN (NEW.review_reason IS DISTINCT FROM OLD.review_reason) EXECUTE FUNCTION reconciled.note_review()',
            watch || '_review_update', watch);
    END LOOP;
END
$$;
