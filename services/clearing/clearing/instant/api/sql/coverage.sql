-- name: money
-- What the funds of an area bore of the services of a month to its own insured, and what of it is in claims that were paid
-- at once: a settlement counts where its claim has a P1. Reads the month's settlements of the lanes in reach. Locks: none.
with instant as (
    select
        claim.lane,
        claim.provider,
        claim.period_from,
        claim.period_to,
        claim.body -> 'dimensions' ->> 'insutype' as insutype,
        claim.body -> 'dimensions' ->> 'clr_type' as clr_type,
        claim.body ->> 'clr_way' as clr_way,
        (claim.body ->> 'opened')::bigint as opened,
        claim.body -> 'besides' as besides
    from claims as claim
    where
        claim.lane = any($1::smallint [])
        and ($2::text [] is null or claim.area = any($2))
        and claim.area = $3
        and claim.status <> 'WITHDRAWN'
        and claim.period_from <= $5::date
        and claim.period_to >= $4::date
        and claim.body -> 'dimensions' ->> 'insured_area' = $3
        and jsonb_typeof(claim.body -> 'p1') = 'object'
),

recorded as (
    select settlement.*
    from settled as settlement
    where
        settlement.lane = any($1::smallint [])
        and ($2::text [] is null or settlement.area = any($2))
        and settlement.area = $3
        and settlement.insured_area = $3
        and settlement.service_date between $4::date and $5::date
),

claimed as (
    select distinct
        recorded.lane,
        recorded."offset"
    from recorded
    inner join instant
        on
            recorded.lane = instant.lane
            and recorded.provider = instant.provider
            and recorded.insutype = instant.insutype
            and recorded.clr_type = instant.clr_type
            and recorded.clr_way = instant.clr_way
            and recorded.service_date between instant.period_from and instant.period_to
            and recorded."offset" < instant.opened
    where
        not exists (
            select from jsonb_array_elements(instant.besides) as other
            where
                recorded.service_date
                between (other ->> 'period_from')::date and (other ->> 'period_to')::date
                and recorded."offset" < (other ->> 'before')::bigint
        )
)

select
    coalesce(sum(recorded.fen), 0) as settled,
    coalesce(sum(recorded.fen) filter (where claimed."offset" is not null), 0) as instant
from recorded
left join claimed on recorded.lane = claimed.lane and recorded."offset" = claimed."offset"

-- name: institutions
-- The designated medical institutions of an area (pharmacies, P..., are none), and those of which something of a month was
-- paid at once. Locks: none.
select
    count(*) as designated,
    count(*) filter (
        where exists (
            select from claims as claim
            where
                claim.lane = provider.lane
                and claim.provider = provider.provider
                and claim.area = $3
                and claim.status <> 'WITHDRAWN'
                and claim.period_from <= $5::date
                and claim.period_to >= $4::date
                and jsonb_typeof(claim.body -> 'p1') = 'object'
        )
    ) as instant
from providers as provider
where
    provider.lane = any($1::smallint [])
    and ($2::text [] is null or provider.area = any($2))
    and provider.area = $3
    and provider.provider like 'H%'
