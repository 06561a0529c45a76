-- name: doubtful
-- Settlements of a provider, of some days or taken back on them, that do not come to one or none: recorded more than once
-- and not taken back as often, or taken back more often than recorded. Reads all that was recorded of the provider, by the
-- index of its days. Locks: none.
with named as (
    select distinct
        lane,
        settlement
    from referenced
    where
        lane = any($1::smallint [])
        and ($2::text [] is null or area = any($2))
        and provider = $3
        and service_date between $4 and $5
),

told as (
    select
        one.settlement,
        count(*) filter (where not one.taken_back) as recorded,
        count(*) filter (where one.taken_back) as reversed,
        sum(one.fen) as fen,
        min(one.service_date) as first,
        max(one.service_date) as last
    from named
    inner join referenced as one on named.lane = one.lane and one.provider = $3 and named.settlement = one.settlement
    group by one.settlement
)

select
    encode(settlement, 'hex') as settlement,
    recorded,
    reversed,
    fen,
    first,
    last
from told
where recorded - reversed not in (0, 1) and ($6::text is null or encode(settlement, 'hex') > $6)
order by encode(settlement, 'hex')
limit $7::int
