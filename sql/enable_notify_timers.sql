-- Notifications for timers that someone makes due within moments; the default.
ALTER TABLE reconciled.timers ENABLE TRIGGER timers_due_notify;
