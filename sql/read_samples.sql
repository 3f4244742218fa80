-- What all pollers did lately, over all watches, in steps of time; steps in which nothing happened are left out.
--
-- Parameters: $1 interval how far back, $2 interval length of a step
-- Result: ago (interval from the step's beginning to now), checks, failed, due (of each watch the most that was seen),
--         lateness (text: counts by bound, joined by commas); oldest first.
WITH recent AS MATERIALIZED (
    SELECT date_bin($2::interval, s.at, now() - $1::interval) AS step, s.watch, s.checks, s.failed, s.lateness, s.due
    FROM reconciled.samples AS s
    WHERE s.at > now() - $1::interval
),
counted AS (
    SELECT watched.step, sum(watched.checks)::bigint AS checks, sum(watched.failed)::bigint AS failed,
        sum(watched.due)::bigint AS due
    FROM (
        SELECT recent.step, recent.watch, sum(recent.checks) AS checks, sum(recent.failed) AS failed,
            max(recent.due) AS due
        FROM recent
        GROUP BY recent.step, recent.watch
    ) AS watched
    GROUP BY watched.step
),
spread AS (
    SELECT placed.step, string_agg(placed.count::text, ',' ORDER BY placed.place) AS lateness
    FROM (
        SELECT recent.step, bucket.place, sum(bucket.count)::bigint AS count
        FROM recent
        CROSS JOIN LATERAL unnest(recent.lateness) WITH ORDINALITY AS bucket (count, place)
        GROUP BY recent.step, bucket.place
    ) AS placed
    GROUP BY placed.step
)
SELECT now() - counted.step AS ago, counted.checks, counted.failed, counted.due, COALESCE(spread.lateness, '')
FROM counted
LEFT JOIN spread ON spread.step = counted.step
ORDER BY counted.step;
