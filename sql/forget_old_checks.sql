-- Forgets checks older than 14 days; a transaction of its own, so that making partitions never waits for it.
SELECT reconciled.forget_old_checks();
