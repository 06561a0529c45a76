-- name: payable
-- What a provider is paid for under a name: a claim or a recovery, which share its names. Locks: none.
select
    lane,
    body -> 'dimensions' as dimensions
from claims
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ref = $4
union all
select
    lane,
    body -> 'dimensions' as dimensions
from recoveries
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ref = $4
limit 1
