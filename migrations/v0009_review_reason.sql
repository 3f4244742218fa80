-- A row that someone puts before a human without saying why is in the queue like the others.
-- oldest: 1

-- The queue, its counts and its index are of rows with a reason. An application may set status = 'review' and no more:
-- the reason is then that none was given. When it moves the row on in the same way, that goes too: it is our word, not
-- one that somebody wants kept.
CREATE FUNCTION reconciled.name_review() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.status <> 'review' THEN
        -- note_review() is not called for a statement that does not name the reason.
        NEW.review_reason := NULL;
        NEW.review_at := NULL;
        -- It came to rest for a human's word, which this is. A timer's grid says when: see schedule_timer().
        IF TG_TABLE_NAME <> 'timers' THEN
            NEW.next_check_at := COALESCE(NEW.next_check_at, now());
        END IF;
        RETURN NEW;
    END IF;
    NEW.review_reason := 'NO_REASON';
    -- What waits under that reason already, and whose row is only written once more, keeps its place.
    IF TG_OP = 'INSERT' OR OLD.review_reason IS DISTINCT FROM NEW.review_reason THEN
        NEW.review_at := now();
    END IF;
    RETURN NEW;
END
$$;

-- A watch that is a view over someone's own table has its triggers there.
DO $$
DECLARE
    watch name;
BEGIN
    FOR watch IN
        SELECT c.relname
        FROM pg_class AS c
        WHERE c.relnamespace = 'reconciled'::regnamespace AND c.relkind = 'r'
            AND c.relname IN ('orders', 'uploads', 'timers', 'deliveries')
        -- Deliveries last, as the statements lock them that write events: the two never wait for each other.
        ORDER BY c.relname = 'deliveries', c.relname
    LOOP
        -- First of all, for it keeps writers away until the end: no row comes to review unseen between the two, and the
        -- lock is not made stronger under one who waits for it.
        --
        -- Before note_review() by its name: that one sees the reason. A settle names both columns each time: the
        -- trigger's condition is all that it costs it.
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE INSERT OR UPDATE OF status, review_reason ON reconciled.%I FOR EACH ROW
                WHEN (CASE NEW.status
                    WHEN ''review'' THEN NEW.review_reason IS NULL
                    ELSE NEW.review_reason = ''NO_REASON''
                END)
                EXECUTE FUNCTION reconciled.name_review()',
            watch || '_name_review', watch);
        -- Those that wait already. When they began to is not known: the best guess is their last change.
        EXECUTE format(
            'UPDATE reconciled.%I SET review_reason = $1 WHERE status = $2 AND review_reason IS NULL', watch)
            USING 'NO_REASON', 'review';
        EXECUTE format('UPDATE reconciled.%I SET review_at = updated_at WHERE review_reason = $1', watch)
            USING 'NO_REASON';
    END LOOP;
END
$$;
