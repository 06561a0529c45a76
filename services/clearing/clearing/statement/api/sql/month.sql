-- name: approved_together
-- The claims of a provider that were approved together with one, itself included. Locks: none.
select body
from claims
where lane = $1 and provider = $2 and (ref = $3 or body ->> 'lead' = $3)
order by ref

-- name: findings
-- The findings of some batches of a provider. Locks: none.
select
    body,
    count(*) over () as findings
from findings
where lane = $1 and provider = $2 and batch = any($3::text [])
order by batch, finding_ref
limit $4::int

-- name: stages
-- Which stages of audit are over for a batch of a provider, in the order in which they were told. Locks: none.
select body
from facts
where
    lane = $1
    and provider = $2
    and type = 'audit.stage.completed.v1'
    and body -> 'batches' ? $3::text
order by topic, "offset"

-- name: institution
-- What people know a provider by, and where it is paid to; the end of the account's number where it was told of that one.
-- Locks: none.
select
    provider.name,
    payee.body ->> 'ref' as account,
    case when provider.account_ref = payee.body ->> 'ref' then provider.account_ends end as account_ends
from providers as provider
left join payees as payee on provider.lane = payee.lane and provider.provider = payee.provider
where provider.lane = $1 and provider.provider = $2

-- name: policy
-- The policy of a name, as it was published first. Locks: none.
select body
from facts
where lane = $1 and type = 'policy.published.v1' and body ->> 'hash' = $2
order by topic, "offset"
limit 1
