-- name: payments
-- Payments of a provider. Locks: none.
select
    lane,
    area,
    provider,
    payment_ref
from payments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and payment_ref = any($4::text [])

-- name: doubts
-- What the bank may pay still, or has paid again, of what some payments of a provider are to pay. Locks: none.
select distinct doubt.why
from payments as payment
inner join doubts as doubt
    on
        payment.lane = doubt.lane and payment.provider = doubt.provider and payment.fund = doubt.fund
        and doubt.payable_ref = payment.body ->> 'payable_ref'
where payment.lane = $1 and payment.provider = $2 and payment.payment_ref = any($3::text [])
order by doubt.why

-- name: provider
-- Where a provider is registered, and where it is paid to. Locks: none.
select
    provider.lane,
    provider.area,
    provider.provider,
    payee.body as account
from providers as provider
left join payees as payee on provider.lane = payee.lane and provider.provider = payee.provider
where
    provider.lane = any($1::smallint [])
    and ($2::text [] is null or provider.area = any($2))
    and provider.provider = any($3::text [])

-- name: item
-- A suspense item. Locks: none.
select
    lane,
    body
from suspense
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and item_ref = $3

-- name: other_side
-- An open suspense item that a transfer between the fund's own accounts would have left in the other one. Locks: none.
select item_ref
from suspense
where
    lane = any($1::smallint [])
    and area = $2
    and is_open
    and body ->> 'bank_account' <> $3
    and body ->> 'direction' <> $4
    and body -> 'amounts' = $5::text::jsonb
order by item_ref
limit 1

-- name: target_request
-- What was asked of the treasury, which a suspense item is said to answer: what of which fund. Locks: none.
select body -> 'amounts'
from facts
where
    type = 'treasury.funds.requested.v1'
    and lane = any($1::smallint [])
    and body ->> 'area' = $2
    and body ->> 'request_ref' = $3

-- name: target_payment
-- What a suspense item is said to be of: a payment of an area, and of its fund. Locks: none.
select body
from payments
where
    lane = any($1::smallint [])
    and area = $2
    and provider = $3
    and payment_ref = $4

-- name: target_recovery
-- What a suspense item is said to be of: a recovery. Locks: none.
select body
from recoveries
where
    lane = any($1::smallint [])
    and area = $2
    and provider = $3
    and ref = $4

-- name: target_prepayment
-- What a suspense item is said to be of: a prepayment. Locks: none.
select body
from prepayments
where
    lane = any($1::smallint [])
    and area = $2
    and provider = $3
    and ref = $4

-- name: names
-- What people know some providers by, as far as it was told. Locks: none.
select
    provider,
    name
from providers
where lane = any($1::smallint []) and provider = any($2::text []) and name is not null
