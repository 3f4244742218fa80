-- Claims due deliveries of the lanes that may run, oldest first within each lane, for one poller.
--
-- Parameters
--   $1 text            poller
--   $2 interval        lease
--   $3 text[]          lanes
--   $4 integer[]       quotas: rows of that lane at most
--   $5 timestamptz[]   lower bounds: next_check_at …
--   $6 text[]          … and id; -infinity and '' look at everything
--   $7 boolean[]       whether a delivery of that lane claimed three times or more without a settle may be taken; it is
--                      taken alone
-- Result: for each lane at least one row: the lane's horizon, and the claimed delivery or NULLs. waits_for: not NULL where
-- an earlier one of its subject is pending, when that one falls due.
--
-- Only unindexed columns are written, so the update is HOT. Without the lower bounds every claim would walk the dead
-- index entries of the claims before it. A paused lane costs one look at its row in lanes.
WITH lane AS MATERIALIZED (
    SELECT input.name, input.quota, input.from_at, COALESCE(NULLIF(input.from_id, '')::bigint, 0) AS from_id,
        input.suspects, state.paused_at, state.paused_by, state.pause_reason, state.hold_until
    FROM unnest($3::text[], $4::integer[], $5::timestamptz[], $6::text[], $7::boolean[])
        AS input (name, quota, from_at, from_id, suspects)
    LEFT JOIN reconciled.lanes AS state ON state.name = input.name
),
-- A lane that paused itself asks about one delivery a minute, whichever poller comes first. They take turns, for it may
-- be the delivery that is ill.
probing AS MATERIALIZED (
    SELECT l.name, l.probed_due_at, l.probed_id
    FROM lane
    JOIN reconciled.lanes AS l ON l.name = lane.name
    WHERE l.paused_at IS NOT NULL AND l.paused_by IS NULL AND l.probe_at <= now()
    FOR NO KEY UPDATE OF l SKIP LOCKED
),
open_lane AS MATERIALIZED (
    SELECT lane.name, lane.suspects,
        CASE WHEN lane.paused_at IS NULL THEN lane.quota ELSE 1 END AS quota,
        -- A probe looks behind the one before it: no id lies between one and what is made of it here. A place that
        -- another watch left in a lane of this name may be no number.
        CASE WHEN lane.paused_at IS NULL THEN lane.from_at ELSE COALESCE(probing.probed_due_at, '-infinity')
            END AS from_at,
        CASE WHEN lane.paused_at IS NULL THEN lane.from_id
            ELSE COALESCE(reconciled.delivery_id(probing.probed_id) + 1, 0) END AS from_id
    FROM lane
    LEFT JOIN probing ON probing.name = lane.name
    WHERE CASE
        WHEN lane.paused_at IS NULL THEN lane.hold_until IS NULL OR lane.hold_until <= now()
        ELSE probing.name IS NOT NULL
    END
),
candidate AS MATERIALIZED (
    SELECT open_lane.name AS lane, due.id, due.next_check_at, due.claim_count
    FROM open_lane
    CROSS JOIN LATERAL (
        SELECT d.id, d.next_check_at, d.claim_count
        FROM reconciled.deliveries AS d
        WHERE d.endpoint = open_lane.name
            AND d.next_check_at IS NOT NULL
            AND (d.next_check_at, d.id) >= (open_lane.from_at, open_lane.from_id)
            AND d.next_check_at <= now()
            AND (d.lease_expires_at IS NULL OR d.lease_expires_at <= now())
            AND (open_lane.suspects OR d.claim_count < 3)
        ORDER BY d.next_check_at, d.id
        LIMIT open_lane.quota
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS due
),
-- A suspect is claimed alone in its lane, so that what it does to a poller is done to it alone.
picked AS MATERIALIZED (
    SELECT ranked.id
    FROM (
        SELECT candidate.id,
            row_number() OVER (
                PARTITION BY candidate.lane
                ORDER BY candidate.claim_count < 3, candidate.next_check_at, candidate.id
            ) AS place,
            max(candidate.claim_count) OVER (PARTITION BY candidate.lane) AS claim_count_max
        FROM candidate
    ) AS ranked
    WHERE ranked.claim_count_max < 3 OR ranked.place = 1
),
claimed AS (
    UPDATE reconciled.deliveries AS d
    SET lease_token = nextval('reconciled.lease_token_seq'),
        lease_expires_at = now() + $2::interval,
        leased_by = $1::text,
        claim_count = d.claim_count + 1
    WHERE d.id = ANY (ARRAY(SELECT picked.id FROM picked))
    RETURNING d.endpoint, d.id, d.event_id, d.event_type, d.subject, d.payload, d.status, d.created_at, d.lease_token,
        d.next_check_at, d.check_count, d.failure_count, d.claim_count, d.progress
),
-- Behind the last one nothing is due: the next probe, at once, begins with the oldest again.
probed AS (
    UPDATE reconciled.lanes AS l
    SET probe_at = CASE WHEN claimed.id IS NULL THEN l.probe_at ELSE now() + interval '1 minute' END,
        probed_due_at = claimed.next_check_at,
        probed_id = claimed.id::text
    FROM probing
    LEFT JOIN claimed ON claimed.endpoint = probing.name
    WHERE l.name = probing.name AND (claimed.id IS NOT NULL OR l.probed_id IS NOT NULL)
),
-- When to look again: at the end of a hold, else when the next delivery falls due; one at infinity never does.
horizon AS MATERIALIZED (
    SELECT lane.name, lane.paused_at, lane.paused_by, lane.pause_reason,
        COALESCE(
            CASE WHEN lane.hold_until > now() THEN lane.hold_until END,
            (
                SELECT d.next_check_at
                FROM reconciled.deliveries AS d
                WHERE d.endpoint = lane.name AND d.next_check_at IS NOT NULL
                    AND d.next_check_at > now() AND d.next_check_at < 'infinity'
                ORDER BY d.next_check_at
                LIMIT 1
            )
        ) - now() AS next_due_in
    FROM lane
)
SELECT horizon.name, horizon.next_due_in, horizon.paused_at IS NOT NULL AS paused, horizon.paused_by,
    horizon.pause_reason, now() AS claimed_at,
    claimed.id::text, claimed.event_id, claimed.event_type, claimed.subject, claimed.payload, claimed.status,
    claimed.created_at, earlier.next_check_at AS waits_for, claimed.lease_token, claimed.next_check_at,
    claimed.check_count, claimed.failure_count, claimed.claim_count, claimed.progress
FROM horizon
LEFT JOIN claimed ON claimed.endpoint = horizon.name
-- The first of those that must be made before it.
LEFT JOIN LATERAL (
    SELECT COALESCE(e.next_check_at, 'infinity') AS next_check_at
    FROM reconciled.deliveries AS e
    WHERE e.endpoint = claimed.endpoint AND e.subject = claimed.subject AND e.status = 'pending'
        AND e.id < claimed.id
    ORDER BY e.id
    LIMIT 1
) AS earlier ON claimed.status = 'pending'
ORDER BY claimed.next_check_at, claimed.id;
