-- No notifications for uploads (`notify: false`); for whom, says disable_notify_orders.sql.
ALTER TABLE reconciled.uploads DISABLE TRIGGER uploads_due_notify;
