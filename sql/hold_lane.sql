-- No claims in a lane until the gateway wants to be asked again; a longer hold stays, and none is longer than an hour.
--
-- Parameters: $1 text lane, $2 interval how long
INSERT INTO reconciled.lanes AS l (name, hold_until)
VALUES ($1::text, now() + LEAST($2::interval, interval '1 hour'))
ON CONFLICT (name) DO UPDATE
SET hold_until = GREATEST(l.hold_until, EXCLUDED.hold_until), updated_at = now();
