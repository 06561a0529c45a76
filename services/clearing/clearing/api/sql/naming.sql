-- name: payments
-- Payments of some names: providers may have chosen the same ones. Locks: none.
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
