-- Bounds what a migration waits for: a statement may take its time, whatever the session's own timeout is,
-- but a lock only so long: whoever wants the table meanwhile waits behind it.
--
-- Parameters: $1 text the longest wait for a lock, 0 for ever
-- Result: both as they are now, until the transaction ends.
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', $1::text, true);
