-- Notifications for orders that someone makes due within moments; the default.
ALTER TABLE reconciled.orders ENABLE TRIGGER orders_due_notify;
