-- Turns: probes of a paused lane, checks of one row, deliveries of one subject.
-- oldest: 1

-- What frees the next deliveries of subjects whose first ones are gone, whoever asks: the oldest that waits of each is due.
--
-- A row that someone has locked is left alone: it asks again by itself soon, and two settles never wait for each other's
-- rows. One that failed has a schedule of its own. Pollers are told, for theirs may have gone to sleep.
CREATE FUNCTION reconciled.free_next(endpoints text[], subjects text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    told text;
BEGIN
    FOR told IN
        WITH next AS (
            UPDATE reconciled.deliveries AS d
            SET next_check_at = now()
            WHERE d.id IN (
                    SELECT locked.id
                    FROM reconciled.deliveries AS locked
                    WHERE locked.id IN (
                        SELECT first.id
                        FROM unnest(endpoints, subjects) AS freed (endpoint, subject)
                        CROSS JOIN LATERAL (
                            SELECT waiting.id
                            FROM reconciled.deliveries AS waiting
                            WHERE waiting.endpoint = freed.endpoint AND waiting.subject = freed.subject
                                AND waiting.status = 'pending'
                            ORDER BY waiting.id
                            LIMIT 1
                        ) AS first
                    )
                    FOR NO KEY UPDATE SKIP LOCKED
                )
                AND d.failure_count = 0
                -- One that is being looked at may have been found waiting a moment ago: another next_check_at keeps it
                -- due.
                AND (d.next_check_at > now() OR d.lease_expires_at > now())
            RETURNING d.endpoint
        )
        SELECT DISTINCT next.endpoint FROM next
    LOOP
        PERFORM pg_notify('reconciled', 'deliveries:' || told);
    END LOOP;
END
$$;

-- All deliveries that one statement ended (delivered, in review) free the next ones of their subjects together. Row by
-- row each looked for its subject's first past all that had ended before it: thousands of one subject took minutes.
--
-- Transition tables go with no list of columns: it is called for claims as well, and ends at once for those. What had
-- ended before and is only written once more frees the next one again, which is then looked at once too often: to compare
-- both transition tables would be a join, by the plan that the session made for its first ending, however few that had.
CREATE FUNCTION reconciled.free_next_ended() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    endpoints text[];
    subjects text[];
BEGIN
    SELECT array_agg(ended.endpoint), array_agg(ended.subject)
    INTO endpoints, subjects
    FROM (SELECT DISTINCT after.endpoint, after.subject FROM after WHERE after.status <> 'pending') AS ended;
    IF endpoints IS NOT NULL THEN
        PERFORM reconciled.free_next(endpoints, subjects);
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER deliveries_free_next_update ON reconciled.deliveries;
DROP FUNCTION reconciled.free_next_delivery();

CREATE TRIGGER deliveries_free_next_update
    AFTER UPDATE ON reconciled.deliveries
    REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT
    EXECUTE FUNCTION reconciled.free_next_ended();

-- The same for all that one statement removes.
CREATE OR REPLACE FUNCTION reconciled.free_next_deliveries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $$
DECLARE
    endpoints text[];
    subjects text[];
BEGIN
    SELECT array_agg(gone.endpoint), array_agg(gone.subject)
    INTO endpoints, subjects
    FROM (SELECT DISTINCT removed.endpoint, removed.subject FROM removed WHERE removed.status = 'pending') AS gone;
    IF endpoints IS NOT NULL THEN
        PERFORM reconciled.free_next(endpoints, subjects);
    END IF;
    RETURN NULL;
END
$$;

-- Sessions took ids in blocks of a hundred, so that only their times told the newest checks of a row, and no index has
-- those. One at a time, ids follow each other as the row's checks do under its leases, and checks_row_idx gives the
-- newest first. Those written before, and the rest of the block of each session that is open now, are in order within
-- their session alone: of a row with more checks than are asked for, an older one may be taken for a newer. They are
-- forgotten in 14 days.
ALTER SEQUENCE reconciled.checks_id_seq CACHE 1;

-- Where the last probe of a lane that paused itself was: the next one asks about the row behind it. The oldest may be
-- what is ill, and the lane would not be heard again. Of no collation of its own: an id is compared as its table has it.
--
-- Last of all: every claim reads this table, and those of deliveries lock it after theirs.
ALTER TABLE reconciled.lanes
    ADD COLUMN probed_due_at timestamptz,
    ADD COLUMN probed_id text;
