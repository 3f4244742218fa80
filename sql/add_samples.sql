-- Notes what a poller process did since its last sample, for the charts.
--
-- Parameters: $1 text poller, then one element a watch: $2 text[] watch, $3 bigint[] checks, $4 bigint[] failed,
--             $5 text[] lateness (an array's text: counts by bound), $6 bigint[] due
INSERT INTO reconciled.samples (poller, watch, checks, failed, lateness, due)
SELECT $1::text, input.watch, input.checks, input.failed, input.lateness::bigint[], input.due
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[])
    AS input (watch, checks, failed, lateness, due);
