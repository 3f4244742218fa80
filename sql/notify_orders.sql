-- A gateway has news of an order: makes it due, at most once in five seconds. What a notification says is no proof.
--
-- Parameters: $1 text gateway, $2 text[] ids and $3 text[] references that the notification may mean
-- Result: id of each order that is due sooner now.
-- All that it goes by stands in the row itself, so that it holds whichever process is told. An order that was checked less
-- than five seconds ago is due when these are over; one that is being checked, five seconds from now: the answer under
-- way may be older than the news. A paid order is asked about no more. Nobody needs a token to have this run: a row that
-- is locked is not waited for long; the gateway is told to come again.
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', '200ms', true)
),
target AS MATERIALIZED (
    SELECT o.id
    FROM patience
    CROSS JOIN reconciled.orders AS o
    WHERE o.gateway = $1::text AND o.status <> 'paid'
        AND (o.id = ANY ($2::text[]) OR (o.gateway_ref = ANY ($3::text[]) AND o.gateway_ref IS NOT NULL))
    ORDER BY o.id
    LIMIT 10
)
UPDATE reconciled.orders AS o
SET next_check_at = CASE
        WHEN o.lease_expires_at > now() THEN now() + interval '5 seconds'
        ELSE GREATEST(now(), o.last_checked_at + interval '5 seconds')
    END
FROM target
WHERE o.id = target.id
    AND (
        o.next_check_at IS NULL
        OR o.next_check_at > GREATEST(
            now(), o.last_checked_at + interval '5 seconds',
            CASE WHEN o.lease_expires_at > now() THEN now() + interval '5 seconds' END
        )
        -- Claimed, so that this is the instant it was claimed for.
        OR (o.lease_expires_at > now() AND o.next_check_at <= now())
    )
RETURNING o.id;
