-- The core: orders with their schedule columns, lanes, pollers, and what was asked, answered and changed.
-- oldest: 1

-- Lease tokens come from one sequence for all watches and are never reused: equality is the whole fence.
CREATE SEQUENCE reconciled.lease_token_seq;

CREATE TABLE reconciled.orders (
    -- Byte order ("C"): ids are compared on every claim, and nobody reads them in a language's order.
    id text COLLATE "C" NOT NULL
        CONSTRAINT orders_pkey PRIMARY KEY
        CONSTRAINT orders_id_check CHECK (char_length(id) BETWEEN 1 AND 255),
    gateway text COLLATE "C" NOT NULL
        CONSTRAINT orders_gateway_check CHECK (char_length(gateway) BETWEEN 1 AND 255),
    gateway_ref text
        CONSTRAINT orders_gateway_ref_check CHECK (char_length(gateway_ref) BETWEEN 1 AND 255),
    amount_minor bigint NOT NULL
        CONSTRAINT orders_amount_minor_check CHECK (amount_minor > 0),
    currency text NOT NULL
        CONSTRAINT orders_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    status text NOT NULL DEFAULT 'pending'
        CONSTRAINT orders_status_check CHECK (status IN ('pending', 'paid', 'closed', 'cancelled', 'review')),
    expires_at timestamptz,
    give_up_at timestamptz,
    paid_at timestamptz,
    gateway_txn_id text
        CONSTRAINT orders_gateway_txn_id_check CHECK (char_length(gateway_txn_id) BETWEEN 1 AND 255),
    gateway_state text,
    review_reason text,
    review_detail jsonb,
    verified_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',

    -- The schedule columns, the same for every watch. The application may set next_check_at at any time.
    next_check_at timestamptz DEFAULT now() + interval '5 seconds',
    check_count integer NOT NULL DEFAULT 0,
    failure_count integer NOT NULL DEFAULT 0,
    claim_count integer NOT NULL DEFAULT 0,
    lease_token bigint,
    lease_expires_at timestamptz,
    leased_by text,
    progress jsonb,
    last_checked_at timestamptz,
    last_verdict text,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (
    -- A claim writes lease columns only, none of them indexed. With half of each page free its new version stays on the
    -- page (HOT), no index is touched, and dead versions go without a vacuum: +35 to +45 % and a third less WAL.
    fillfactor = 50,
    -- A queue's dead rows are a small share of a large table: the default of 20 % would come far too late.
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Due rows of a lane, oldest first; id is the tiebreak, so that a poller's lower bound is one exact place.
-- Rows at rest are not in it.
CREATE INDEX orders_due_idx ON reconciled.orders (gateway, next_check_at, id) WHERE next_check_at IS NOT NULL;

CREATE UNIQUE INDEX orders_gateway_ref_key ON reconciled.orders (gateway, gateway_ref) WHERE gateway_ref IS NOT NULL;

-- One payment settles one order. A settle that breaks this rule goes to review as DUPLICATE.
CREATE UNIQUE INDEX orders_gateway_txn_id_key ON reconciled.orders (gateway, gateway_txn_id)
    WHERE gateway_txn_id IS NOT NULL;

-- Orders that wait for nobody; there should be none but those before a gateway's cut-off. For the auditor.
CREATE INDEX orders_adrift_idx ON reconciled.orders (id) WHERE status = 'pending' AND next_check_at IS NULL;

-- The queue for humans.
CREATE INDEX orders_review_idx ON reconciled.orders (review_reason, id) WHERE review_reason IS NOT NULL;

-- A row that someone makes due within moments wakes the pollers; later ones are found by their polling in time.
-- Pollers' own sessions (application_name reconciled/<poller id>) stay silent: they know what they wrote.
-- The payload is the watch and the lane, so that one transaction's many rows become one notification.
CREATE FUNCTION reconciled.notify_due() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM pg_notify('reconciled', TG_ARGV[0] || ':' || NEW.gateway);
    RETURN NULL;
END
$$;

CREATE TRIGGER orders_due_notify
    AFTER INSERT OR UPDATE OF next_check_at ON reconciled.orders
    FOR EACH ROW
    WHEN (NEW.next_check_at <= now() + interval '2 seconds'
        AND current_setting('application_name') NOT LIKE 'reconciled/%')
    EXECUTE FUNCTION reconciled.notify_due('orders');

-- What all pollers must agree on about a lane.
CREATE TABLE reconciled.lanes (
    name text COLLATE "C" CONSTRAINT lanes_pkey PRIMARY KEY,
    -- Paused when not NULL. By a person's name; by NULL when the lane paused itself for its configuration.
    paused_at timestamptz,
    paused_by text,
    pause_reason text,
    -- When a lane that paused itself may ask about one row again.
    probe_at timestamptz,
    -- The gateway asked us to wait (Retry-After).
    hold_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE reconciled.pollers (
    id text CONSTRAINT pollers_pkey PRIMARY KEY,
    host text NOT NULL,
    process_id integer NOT NULL,
    version text NOT NULL,
    watch text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    stopped_at timestamptz
);

-- Append-only, kept: every status change that Reconciled makes and every manual action, written by the statement that
-- makes the change.
CREATE TABLE reconciled.history (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT history_pkey PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    watch text NOT NULL,
    row_id text NOT NULL,
    lane text NOT NULL,
    poller text,
    actor text,
    verdict text,
    status_before text NOT NULL,
    status_after text NOT NULL,
    reason text,
    duration_ms integer,
    answer jsonb
);

CREATE INDEX history_row_idx ON reconciled.history (watch, row_id, id);

-- What each question was answered; kept for 14 days. A day is one partition, so that forgetting it is a DROP TABLE.
CREATE SEQUENCE reconciled.checks_id_seq CACHE 100;

CREATE TABLE reconciled.checks (
    id bigint NOT NULL DEFAULT nextval('reconciled.checks_id_seq'),
    at timestamptz NOT NULL DEFAULT now(),
    watch text NOT NULL,
    row_id text NOT NULL,
    lane text NOT NULL,
    poller text,
    actor text,
    verdict text,
    status_before text NOT NULL,
    status_after text NOT NULL,
    reason text,
    duration_ms integer,
    answer jsonb
) PARTITION BY RANGE (at);

CREATE INDEX checks_row_idx ON reconciled.checks (row_id, id);

-- Takes what no day's partition takes: nothing is refused when maintenance has not run for a while.
CREATE TABLE reconciled.checks_default PARTITION OF reconciled.checks DEFAULT;

-- Makes the partitions of today and the next days. Days are UTC. Callable by pollers, who own nothing: hence SECURITY
-- DEFINER. Gives up on a lock soon, for settles wait behind it; inserts go to the default partition meanwhile.
CREATE FUNCTION reconciled.make_check_partitions() RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '200ms'
    SET timezone = 'UTC'
AS $$
DECLARE
    day date;
    partition text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('reconciled.checks')) THEN
        RETURN; -- another poller is at it
    END IF;
    FOR day IN SELECT current_date + ahead FROM generate_series(0, 3) AS ahead LOOP
        partition := 'checks_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('reconciled.' || partition) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE reconciled.%I PARTITION OF reconciled.checks FOR VALUES FROM (%L) TO (%L)',
                partition, day::timestamptz, (day + 1)::timestamptz);
        EXCEPTION
            -- The default partition has rows of that day already: they stay there, and so do the day's others.
            WHEN check_violation OR lock_not_available THEN NULL;
        END;
    END LOOP;
END
$$;

-- Forgets what is older than 14 days; a partition that someone reads is left for the next time.
CREATE FUNCTION reconciled.forget_old_checks() RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '200ms'
    SET timezone = 'UTC'
AS $$
DECLARE
    partition text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('reconciled.checks')) THEN
        RETURN;
    END IF;
    FOR partition IN
        SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'reconciled.checks'::regclass AND c.relname ~ '^checks_\d{8}$'
            AND to_date(right(c.relname, 8), 'YYYYMMDD') < current_date - 14
    LOOP
        BEGIN
            EXECUTE format('DROP TABLE reconciled.%I', partition);
        EXCEPTION
            WHEN lock_not_available THEN NULL;
        END;
    END LOOP;
    DELETE FROM reconciled.checks_default WHERE at < now() - interval '15 days';
END
$$;

REVOKE EXECUTE ON FUNCTION reconciled.make_check_partitions(), reconciled.forget_old_checks() FROM PUBLIC;

SELECT reconciled.make_check_partitions();

-- A row as people and programs read it: the column names, times in UTC whatever the session's zone.
CREATE FUNCTION reconciled.as_json(anyelement) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET timezone = 'UTC'
AS 'SELECT to_jsonb($1)';
