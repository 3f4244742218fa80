-- Notifications for uploads that someone makes due within moments; the default.
ALTER TABLE reconciled.uploads ENABLE TRIGGER uploads_due_notify;
