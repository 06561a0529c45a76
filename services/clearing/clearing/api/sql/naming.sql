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
