-- Timers for a measurement, spread evenly over their interval.
--
-- Parameters: $1 text prefix of the ids, $2 text lane, $3 integer count, $4 interval of each,
--             $5 interval until the first is due, $6 text url
INSERT INTO reconciled.timers (id, lane, url, every, anchor_at)
SELECT $1::text || lpad(number::text, 9, '0'), $2::text, $6::text, $4::interval,
    now() + $5::interval + number * ($4::interval / $3::integer)
FROM generate_series(0, $3::integer - 1) AS number;
