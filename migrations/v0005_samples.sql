-- Samples: what pollers did lately, for charts that outlive a process and show all of them.
-- oldest: 1

-- A row for each poller and watch every 15 seconds in which something happened; kept for a day.
CREATE TABLE reconciled.samples (
    at timestamptz NOT NULL DEFAULT now(),
    poller text NOT NULL,
    watch text NOT NULL,
    -- Since the sample before: checks that were settled, and those of them that failed.
    checks bigint NOT NULL
        CONSTRAINT samples_checks_check CHECK (checks >= 0),
    failed bigint NOT NULL
        CONSTRAINT samples_failed_check CHECK (failed >= 0),
    -- How late checks began: a count for each bound of the metric reconciled_lateness_seconds, not cumulated, and one for
    -- those above all of them.
    lateness bigint[] NOT NULL,
    -- Rows that were due at that moment, over all pollers; counted to a bound.
    due bigint NOT NULL
        CONSTRAINT samples_due_check CHECK (due >= 0)
);

CREATE INDEX samples_at_idx ON reconciled.samples (at);
