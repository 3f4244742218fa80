-- A notification says since when its rows are due, so that those with a next_check_at well in the past are found at once.
-- oldest: 1

-- Claims begin where the last one ended, and a wake-up looked two seconds back. A row that an application inserts with an
-- earlier time, or whose transaction took longer than that after its now(), waited for the sweep. The time in the payload
-- is a whole second of the last minute, a minute of the last hour, an hour of the last day, or 0 for the beginning of time:
-- one transaction's many rows are one notification still, or a few.
--
-- The payload was watch:lane; it is watch@seconds:lane. Pollers that do not know it yet find these rows by their polling.
--
-- Each function says it by itself: whoever writes the table need not be allowed to call another one.
CREATE OR REPLACE FUNCTION reconciled.notify_due() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM pg_notify(
        'reconciled',
        TG_ARGV[0] || '@' || CASE
            WHEN NEW.next_check_at > now() - interval '1 minute' THEN floor(extract(epoch FROM NEW.next_check_at))
            WHEN NEW.next_check_at > now() - interval '1 hour'
                THEN floor(extract(epoch FROM NEW.next_check_at) / 60) * 60
            WHEN NEW.next_check_at > now() - interval '1 day'
                THEN floor(extract(epoch FROM NEW.next_check_at) / 3600) * 3600
            ELSE 0
        END::bigint || ':' || NEW.gateway);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION reconciled.notify_due_lane() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    lane text;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[1]) INTO lane USING NEW;
    PERFORM pg_notify(
        'reconciled',
        TG_ARGV[0] || '@' || CASE
            WHEN NEW.next_check_at > now() - interval '1 minute' THEN floor(extract(epoch FROM NEW.next_check_at))
            WHEN NEW.next_check_at > now() - interval '1 hour'
                THEN floor(extract(epoch FROM NEW.next_check_at) / 60) * 60
            WHEN NEW.next_check_at > now() - interval '1 day'
                THEN floor(extract(epoch FROM NEW.next_check_at) / 3600) * 3600
            ELSE 0
        END::bigint || ':' || lane);
    RETURN NULL;
END
$$;

-- A status alone can make a row due too: name_review() and schedule_timer() say when.
-- A watch that is a view over someone's own table has its triggers there.
DO $$
DECLARE
    watch name;
    told text;
    is_silent boolean;
BEGIN
    FOR watch, told, is_silent IN
        SELECT input.watch, input.told, t.tgenabled = 'D'
        FROM (
            VALUES (1, 'orders', 'reconciled.notify_due(''orders'')'),
                (2, 'timers', 'reconciled.notify_due_lane(''timers'', ''lane'')'),
                (3, 'uploads', 'reconciled.notify_due_lane(''uploads'', ''store'')'),
                -- Last, as the statements lock them that write events: the two never wait for each other.
                (4, 'deliveries', 'reconciled.notify_due_lane(''deliveries'', ''endpoint'')')
        ) AS input (place, watch, told)
        JOIN pg_class AS c ON c.relname = input.watch
        JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = input.watch || '_due_notify'
        WHERE c.relnamespace = 'reconciled'::regnamespace AND c.relkind = 'r'
        ORDER BY input.place
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I AFTER INSERT OR UPDATE OF next_check_at, status ON reconciled.%I FOR EACH ROW
                WHEN (NEW.next_check_at <= now() + interval ''2 seconds''
                    AND current_setting(''application_name'') NOT LIKE ''reconciled/%%'')
                EXECUTE FUNCTION ',
            watch || '_due_notify', watch) || told;
        -- `notify: false`: one that is replaced would be heard again.
        IF is_silent THEN
            EXECUTE format('ALTER TABLE reconciled.%I DISABLE TRIGGER %I', watch, watch || '_due_notify');
        END IF;
    END LOOP;
END
$$;
