-- Both sides of a comparison begin with a table that is vacuumed and analyzed.
VACUUM (ANALYZE) reconciled.orders, reconciled.uploads, reconciled.timers;
