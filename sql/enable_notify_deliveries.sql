-- Notifications for deliveries that someone makes due within moments; the default.
ALTER TABLE reconciled.deliveries ENABLE TRIGGER deliveries_due_notify;
