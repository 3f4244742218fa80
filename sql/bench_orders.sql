-- Orders for a measurement, each due at its own instant.
--
-- Parameters: $1 text prefix of the ids, $2 text gateway, $3 integer count, $4 interval until the first is due,
--             $5 interval between two
INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at)
SELECT $1::text || lpad(number::text, 9, '0'), $2::text, 100, 'EUR', now() + $4::interval + number * $5::interval
FROM generate_series(0, $3::integer - 1) AS number;
