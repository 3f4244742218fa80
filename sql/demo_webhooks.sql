-- What an application's webhook does when a notification arrives: the order is paid, whatever Reconciled is at.
--
-- Parameters: $1 text[] ids
UPDATE reconciled.orders AS o
SET status = 'paid', paid_at = now()
WHERE o.id = ANY ($1::text[]) AND o.status = 'pending';
