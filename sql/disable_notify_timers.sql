-- No notifications for timers (`notify: false`); for whom, says disable_notify_orders.sql.
ALTER TABLE reconciled.timers DISABLE TRIGGER timers_due_notify;
