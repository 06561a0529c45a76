-- name: contracts
-- What was said before of contracts that are said anew ($2, $3). Locks: none.
select
    contract.area,
    contract.ref,
    contract.products
from unnest($2::text [], $3::text []) as named (area, ref)
inner join contracts as contract on contract.lane = $1 and named.area = contract.area and named.ref = contract.ref

-- name: save_contracts
-- The last word on contracts. Locks: those rows; only this lane writes them.
insert into contracts (lane, area, ref, products)
select
    $1,
    said.*
from unnest($2::text::text [], $3::text::text [], $4::text::text []) as said
on conflict (lane, area, ref) do update set products = excluded.products

-- name: products
-- Those that are named ($2, $3). Locks: none.
select
    product.area,
    product.ref,
    product.body
from unnest($2::text [], $3::text []) as named (area, ref)
inner join products as product on product.lane = $1 and named.area = product.area and named.ref = product.ref

-- name: save_products
-- Products of which something was said. Locks: those rows; only this lane writes them.
insert into products (lane, area, ref, body)
select
    $1,
    said.*
from unnest($2::text::text [], $3::text::text [], $4::text::text []) as said
on conflict (lane, area, ref) do update set body = excluded.body

-- name: claims
-- Those that are named ($2, $3). Locks: none.
select
    claim.provider,
    claim.ref,
    claim.body
from unnest($2::text [], $3::text []) as named (provider, ref)
inner join claims as claim on claim.lane = $1 and named.provider = claim.provider and named.ref = claim.ref

-- name: save_claims
-- What was told of claims. Locks: those rows; only this lane writes them.
insert into claims (lane, provider, ref, body)
select
    $1,
    told.*
from unnest($2::text::text [], $3::text::text [], $4::text::text []) as told
on conflict (lane, provider, ref) do update set body = excluded.body

-- name: months
-- What was approved of each provider's claims, by month and fund, read when a lane is claimed. Locks: none.
select
    claim.provider,
    claim.body::jsonb ->> 0 as month,
    part.fund,
    sum(part.fen::bigint)::bigint as fen
from claims as claim, jsonb_each_text(claim.body::jsonb -> 1) as part (fund, fen)
where claim.lane = $1 and claim.body::jsonb ->> 0 <> ''
group by claim.provider, claim.body::jsonb ->> 0, part.fund

-- name: save_suppliers
-- What suppliers are called from a day on; of two words for one day the later holds. Locks: those rows; only this lane
-- writes them.
insert into suppliers (lane, area, ref, valid_from, name, account_ends)
select
    $1,
    said.*
from unnest($2::text::text [], $3::text::text [], $4::text::date [], $5::text::text [], $6::text::text []) as said
on conflict (lane, area, ref, valid_from) do update set name = excluded.name, account_ends = excluded.account_ends
