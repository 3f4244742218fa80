-- A row that someone takes from a human by its status alone leaves the queue, whatever it waited for.
-- oldest: 1

-- An application may set status = 'review' and no more: the reason is then that none was given. When it moves a row on in the
-- same way, whoever had put it there, the reason goes, and the row is looked at again: it came to rest for a human's word,
-- which this is. So far that held for the rows without a reason alone.
CREATE OR REPLACE FUNCTION reconciled.name_review() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.status = 'review' THEN
        NEW.review_reason := 'NO_REASON';
        RETURN NEW;
    END IF;
    NEW.review_reason := NULL;
    IF NEW.review_detail IS NOT DISTINCT FROM OLD.review_detail THEN
        NEW.review_detail := NULL;
    END IF;
    -- A timer's grid says when: see schedule_timer().
    IF TG_TABLE_NAME <> 'timers' THEN
        NEW.next_check_at := COALESCE(NEW.next_check_at, now());
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
        -- The lock that this takes is the strongest of what follows: it is not made stronger under one who waits for it.
        EXECUTE format('DROP TRIGGER %I ON reconciled.%I', watch || '_name_review', watch);
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE INSERT ON reconciled.%I FOR EACH ROW
                WHEN (NEW.status = ''review'' AND COALESCE(NEW.review_reason, '''') = '''')
                EXECUTE FUNCTION reconciled.name_review()',
            watch || '_name_review_insert', watch);
        -- A settle names both columns each time: the trigger's condition is all that it costs it.
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OF status, review_reason ON reconciled.%I FOR EACH ROW
                WHEN (CASE NEW.status
                    WHEN ''review'' THEN COALESCE(NEW.review_reason, '''') = ''''
                    ELSE OLD.status = ''review'' AND NEW.review_reason = OLD.review_reason
                END)
                EXECUTE FUNCTION reconciled.name_review()',
            watch || '_name_review_update', watch);
        -- Behind those by its name, and called for the status as well now: it sees the reason that they gave or took.
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OF status, review_reason ON reconciled.%I FOR EACH ROW
                WHEN (NEW.review_reason IS DISTINCT FROM OLD.review_reason) EXECUTE FUNCTION reconciled.note_review()',
            watch || '_review_update', watch);
    END LOOP;
END
$$;
