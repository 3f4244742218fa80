-- No notifications for orders (`notify: false`): for two-phase commit, which forbids them, and for heavy writers. Pollers
-- find rows by polling then.
ALTER TABLE reconciled.orders DISABLE TRIGGER orders_due_notify;
