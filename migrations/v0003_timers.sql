-- Timers: recurring calls, each on a grid of its own.
-- oldest: 1

-- The grid is anchor_at + n × every, n from 0 on, reckoned in microseconds: no run's delay moves the next one, and a day
-- is 24 hours in every time zone. Its first instant after the given one.
--
-- NULL for an interval of nothing, which the table's constraint refuses then.
--
-- extract() gives numeric, which is exact; the product with an interval is one of floats, exact up to 285 years.
CREATE FUNCTION reconciled.timer_instant(anchor_at timestamptz, every interval, after timestamptz)
    RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN after < anchor_at THEN anchor_at
        ELSE anchor_at + interval '1 microsecond' * (
            (floor(extract(epoch FROM after - anchor_at) / nullif(extract(epoch FROM every), 0)) + 1)
            * extract(epoch FROM every) * 1000000
        )::double precision
    END
$$;

-- A duration as configuration and JSON write it: 250ms, 1m30s, 7d.
CREATE FUNCTION reconciled.duration_text(interval) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN rest.us = 0 THEN '0s'
        ELSE concat(
            nullif(div(rest.us, 86400000000), 0) || 'd',
            nullif(mod(div(rest.us, 3600000000), 24), 0) || 'h',
            nullif(mod(div(rest.us, 60000000), 60), 0) || 'm',
            nullif(mod(div(rest.us, 1000000), 60), 0) || 's',
            nullif(mod(div(rest.us, 1000), 1000), 0) || 'ms',
            nullif(mod(rest.us, 1000), 0) || 'us'
        )
    END
    FROM (SELECT (extract(epoch FROM $1) * 1000000)::bigint::numeric AS us) AS rest
$$;

CREATE TABLE reconciled.timers (
    -- Byte order ("C"), as for orders.
    id text COLLATE "C" NOT NULL
        CONSTRAINT timers_pkey PRIMARY KEY
        CONSTRAINT timers_id_check CHECK (char_length(id) BETWEEN 1 AND 255),
    -- A month has no fixed length.
    every interval NOT NULL
        CONSTRAINT timers_every_check CHECK (
            every >= interval '10 milliseconds' AND every <= interval '36500 days'
            AND extract(year FROM every) = 0 AND extract(month FROM every) = 0
        ),
    -- In the past or in the future; 2026-01-01T00:00:00Z has an hourly timer run at the full hours.
    anchor_at timestamptz NOT NULL DEFAULT now()
        CONSTRAINT timers_anchor_at_check CHECK (
            anchor_at >= '1970-01-01 00:00:00+00' AND anchor_at < '3000-01-01 00:00:00+00'
        ),
    lane text COLLATE "C" NOT NULL DEFAULT 'timers'
        CONSTRAINT timers_lane_check CHECK (char_length(lane) BETWEEN 1 AND 255),
    url text NOT NULL
        CONSTRAINT timers_url_check CHECK (url ~* '^https?://[^/?#]' AND char_length(url) <= 4096),
    -- Left out: POST with a body, GET without.
    method text NOT NULL
        CONSTRAINT timers_method_check CHECK (method IN ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE')),
    -- An object of texts.
    headers jsonb
        CONSTRAINT timers_headers_check CHECK (
            jsonb_typeof(headers) = 'object' AND NOT jsonb_path_exists(headers, '$.* ? (@.type() != "string")')
        ),
    body text
        CONSTRAINT timers_body_check CHECK (octet_length(body) <= 65536),
    -- What becomes of instants that went by while nobody ran the timer.
    catch_up text NOT NULL DEFAULT 'skip'
        CONSTRAINT timers_catch_up_check CHECK (catch_up IN ('skip', 'once', 'all')),
    run_count bigint NOT NULL DEFAULT 0
        CONSTRAINT timers_run_count_check CHECK (run_count >= 0),
    max_runs bigint
        CONSTRAINT timers_max_runs_check CHECK (max_runs > 0),
    -- The last instant that may still run.
    ends_at timestamptz,
    status text NOT NULL DEFAULT 'active'
        CONSTRAINT timers_status_check CHECK (status IN ('active', 'paused', 'finished', 'review')),
    -- NULL: the lane's, which is the most in any case.
    timeout interval
        CONSTRAINT timers_timeout_check CHECK (
            timeout >= interval '1 millisecond' AND timeout <= interval '600 seconds'
        ),
    -- NULL: any from 200 to 299.
    expect_status integer
        CONSTRAINT timers_expect_status_check CHECK (expect_status BETWEEN 200 AND 599),
    last_status_code integer,
    review_reason text,
    review_detail jsonb,
    metadata jsonb NOT NULL DEFAULT '{}',

    -- The schedule columns, the same for every watch. The application may set next_check_at at any time. By default it
    -- is the grid's next instant, which a default cannot say: -infinity stands for it until schedule_timer() reads it.
    next_check_at timestamptz DEFAULT '-infinity',
    check_count integer NOT NULL DEFAULT 0,
    failure_count integer NOT NULL DEFAULT 0,
    claim_count integer NOT NULL DEFAULT 0,
    lease_token bigint,
    lease_expires_at timestamptz,
    leased_by text,
    -- "instant": what the next run stands for where that is not next_check_at, as when a failed call is tried again.
    progress jsonb,
    last_checked_at timestamptz,
    last_verdict text,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (
    -- For the reasons that stand at orders: claims stay HOT, and dead rows go early.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Due rows of a lane, oldest first; id is the tiebreak, so that a poller's lower bound is one exact place.
CREATE INDEX timers_due_idx ON reconciled.timers (lane, next_check_at, id) WHERE next_check_at IS NOT NULL;

-- Active timers that will never run; there should be none. For the auditor.
CREATE INDEX timers_adrift_idx ON reconciled.timers (id) WHERE status = 'active' AND next_check_at IS NULL;

-- The queue for humans.
CREATE INDEX timers_review_idx ON reconciled.timers (review_reason, id) WHERE review_reason IS NOT NULL;

-- Puts a timer on its grid when it is inserted, resumed, or given another interval or anchor, and to rest when it is
-- paused or finished. A next_check_at that is set by hand in the same statement stays as it is.
CREATE FUNCTION reconciled.schedule_timer() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.method := COALESCE(NEW.method, CASE WHEN NEW.body IS NULL THEN 'GET' ELSE 'POST' END);
        IF NEW.next_check_at = '-infinity' THEN
            NEW.next_check_at := CASE
                WHEN NEW.status = 'active' THEN reconciled.timer_instant(NEW.anchor_at, NEW.every, now())
            END;
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.status <> OLD.status AND NEW.status = 'active' THEN
        -- What had failed or was missed before the pause is over; a finished timer begins its count anew.
        NEW.progress := NULL;
        IF OLD.status = 'finished' AND NEW.run_count = OLD.run_count THEN
            NEW.run_count := 0;
        END IF;
    END IF;
    IF NEW.next_check_at IS DISTINCT FROM OLD.next_check_at THEN
        RETURN NEW;
    END IF;
    IF NEW.status IN ('paused', 'finished') THEN
        NEW.next_check_at := NULL;
    -- A run that is overdue and not under way stays due, whatever the new grid.
    ELSIF NEW.status = 'active' AND (
        OLD.status <> 'active' OR NEW.next_check_at > now() OR NEW.lease_expires_at > now()
    ) THEN
        NEW.progress := NULL;
        NEW.next_check_at := reconciled.timer_instant(NEW.anchor_at, NEW.every, now());
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER timers_schedule_insert
    BEFORE INSERT ON reconciled.timers
    FOR EACH ROW
    EXECUTE FUNCTION reconciled.schedule_timer();

-- A poller's settle names these columns too; the condition is all that it costs it.
CREATE TRIGGER timers_schedule_update
    BEFORE UPDATE OF every, anchor_at, status ON reconciled.timers
    FOR EACH ROW
    WHEN (NEW.status <> OLD.status OR NEW.every <> OLD.every OR NEW.anchor_at <> OLD.anchor_at)
    EXECUTE FUNCTION reconciled.schedule_timer();

-- A nudge of a timer that is overdue and makes up for what it missed: the run keeps the instant that it stands for, or
-- those between it and the nudge would be lost. A settle ends a lease and is none of this.
CREATE FUNCTION reconciled.keep_timer_instant() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    NEW.progress := jsonb_build_object('instant', OLD.next_check_at);
    RETURN NEW;
END
$$;

CREATE TRIGGER timers_keep_instant
    BEFORE UPDATE OF next_check_at ON reconciled.timers
    FOR EACH ROW
    WHEN (OLD.catch_up <> 'skip' AND OLD.status = 'active' AND NEW.status = 'active'
        AND OLD.next_check_at <= now() AND NEW.next_check_at > OLD.next_check_at
        AND OLD.progress IS NULL AND NEW.progress IS NULL
        AND OLD.lease_token IS NOT DISTINCT FROM NEW.lease_token)
    EXECUTE FUNCTION reconciled.keep_timer_instant();

CREATE TRIGGER timers_due_notify
    AFTER INSERT OR UPDATE OF next_check_at ON reconciled.timers
    FOR EACH ROW
    WHEN (NEW.next_check_at <= now() + interval '2 seconds'
        AND current_setting('application_name') NOT LIKE 'reconciled/%')
    EXECUTE FUNCTION reconciled.notify_due_lane('timers', 'lane');

-- A timer as people and programs read it: durations as they are written, and no header's value that is a secret by its
-- name.
CREATE FUNCTION reconciled.timer_json(timer reconciled.timers) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT reconciled.as_json(timer) || jsonb_build_object(
        'every', reconciled.duration_text(timer.every),
        'timeout', reconciled.duration_text(timer.timeout),
        'headers', (
            SELECT jsonb_object_agg(
                header.name,
                CASE WHEN header.name ~* 'auth|cookie|key|pass|secret|signature|token' THEN '…' ELSE header.value END
            )
            FROM jsonb_each_text(timer.headers) AS header (name, value)
        )
    )
$$;
