-- No notifications for deliveries (`notify: false`); for whom, says disable_notify_orders.sql.
ALTER TABLE reconciled.deliveries DISABLE TRIGGER deliveries_due_notify;
