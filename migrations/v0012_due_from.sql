-- A notification says since when its rows are due, so that those with a next_check_at well in the past are found at once.
-- oldest: 1

-- Claims begin where the last one ended, and a wake-up looked two seconds back. A row that an application inserts with an
-- earlier time, or whose transaction took longer than that after its now(), waited for the sweep. The time in the payload
-- is a whole second of the last minute, a minute of the last hour, an hour of the last day, or the beginning of time: one
-- transaction's many rows are one notification still, or a few.
--
-- The payload was watch:lane; it is watch@seconds:lane. Pollers that do not know it yet find these rows by their polling.
CREATE FUNCTION reconciled.tell_due(watch text, lane text, due_at timestamptz) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM pg_notify(
        'reconciled',
        watch || '@' || CASE
            WHEN due_at > now() - interval '1 minute' THEN floor(extract(epoch FROM due_at))
            WHEN due_at > now() - interval '1 hour' THEN floor(extract(epoch FROM due_at) / 60) * 60
            WHEN due_at > now() - interval '1 day' THEN floor(extract(epoch FROM due_at) / 3600) * 3600
            ELSE 0
        END::bigint || ':' || lane);
END
$$;

CREATE OR REPLACE FUNCTION reconciled.notify_due() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM reconciled.tell_due(TG_ARGV[0], NEW.gateway, NEW.next_check_at);
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
    PERFORM reconciled.tell_due(TG_ARGV[0], lane, NEW.next_check_at);
    RETURN NULL;
END
$$;
