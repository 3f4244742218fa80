-- The demo's orders: one falls due every 5 ms, at its created_at.
--
-- Parameters: $1 text[] ids, $2 text[] gateways, $3 text[] gateway_refs, $4 bigint[] amounts, $5 text[] currencies,
--             $6 text[] statuses, $7 boolean[] whether give_up_at has passed, $8 text[] gateway_txn_ids
INSERT INTO reconciled.orders (
    id, gateway, gateway_ref, amount_minor, currency, status, give_up_at, gateway_txn_id, next_check_at, created_at
)
SELECT input.id, input.gateway, input.gateway_ref, input.amount_minor, input.currency, input.status,
    CASE WHEN input.given_up THEN now() - interval '1 minute' END, input.gateway_txn_id,
    now() + input.position * interval '5 milliseconds',
    now() + input.position * interval '5 milliseconds'
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::boolean[], $8::text[]
) WITH ORDINALITY AS input (
    id, gateway, gateway_ref, amount_minor, currency, status, given_up, gateway_txn_id, position
);
