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

-- name: names
-- What people know some providers by, as far as it was told. Locks: none.
select
    provider,
    name
from providers
where lane = any($1::smallint []) and provider = any($2::text []) and name is not null
