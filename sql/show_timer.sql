-- One timer.
--
-- Parameters: $1 text id
-- Result: one JSON object, or nothing.
SELECT reconciled.timer_json(t) FROM reconciled.timers AS t WHERE t.id = $1::text;
