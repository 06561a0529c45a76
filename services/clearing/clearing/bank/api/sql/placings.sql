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
    and name = $3

-- name: target_payment
-- What a suspense item is said to be of: a payment of an area, and of its fund. Locks: none.
select body
from payments
where
    lane = any($1::smallint [])
    and area = $2
    and provider = $3
    and payment_ref = $4

-- name: target_repayable
-- What a suspense item is said to be of: something that a provider pays back in cash. Locks: none.
select body
from repayable
where
    lane = any($1::smallint [])
    and area = $2
    and provider = $3
    and ref = $4
    and placed_as = $5
