-- Empties what measurements filled. Refuses to run where there are rows that no measurement made.
--
-- Parameters: $1 text prefix of the ids of measurements
-- Result: whether the tables may be emptied.
SELECT NOT EXISTS (SELECT 1 FROM reconciled.orders AS o WHERE NOT starts_with(o.id, $1::text))
    AND NOT EXISTS (SELECT 1 FROM reconciled.uploads AS u WHERE NOT starts_with(u.id, $1::text))
    AND NOT EXISTS (SELECT 1 FROM reconciled.timers AS t WHERE NOT starts_with(t.id, $1::text));
