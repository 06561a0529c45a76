-- name: claims
-- The claims that a batch of events can touch: those it names ($2), those of its providers with something open ($3), all
-- that are open when a day is opened ($4), and those that may hold the same settlements as a submission ($5-$7). Locks: none.
select body
from claims
where
    lane = $1
    and (
        ref = any($2::text [])
        or (is_open and (provider = any($3::text []) or $4::boolean))
        or exists (
            select from unnest($5::text [], $6::date [], $7::date []) as submission (provider, first_day, last_day)
            where
                claims.provider = submission.provider
                and claims.period_from <= submission.last_day
                and claims.period_to >= submission.first_day
        )
    )

-- name: stretches
-- What was recorded before each submission, by day and by the stretches between the given cuts of the log, so that what
-- another batch has can be left out whole. `cuts` begin with 0. Locks: none.
with wanted as (
    select
        submission.number,
        submission.cuts::bigint [] as cuts,
        settlement."offset",
        settlement.service_date,
        settlement.ref,
        settlement.med_type,
        settlement.funds,
        settlement.fens,
        settlement.advanced
    from unnest(
        $2::bigint [], $3::text [], $4::text [], $5::text [], $6::text [], $7::text [], $8::text [], $9::date [],
        $10::date [], $11::text []
    ) as submission (
        number, provider, area, insured_area, insutype, clr_type, clr_way, first_day, last_day, cuts
    )
    inner join settlements as settlement
        on
            settlement.lane = $1
            and submission.provider = settlement.provider
            and settlement.service_date between submission.first_day and submission.last_day
            and submission.area = settlement.area
            and submission.insured_area = settlement.insured_area
            and submission.insutype = settlement.insutype
            and submission.clr_type = settlement.clr_type
            and submission.clr_way = settlement.clr_way
            and submission.number > settlement."offset"
),

placed as (
    select
        *,
        cuts[width_bucket("offset", cuts)] as since
    from wanted
),

summed as (
    select
        number,
        service_date,
        since,
        fund,
        sum(fen)::bigint as fen
    from placed, unnest(funds, fens) as part (fund, fen)
    group by number, service_date, since, fund
),

counted as (
    select
        number,
        service_date,
        since,
        count(*) as settlements,
        string_agg(ref, '') as refs,
        bool_and(med_type = '13') as emergencies
    from placed
    group by number, service_date, since
)

select
    counted.number,
    counted.service_date,
    counted.since,
    counted.settlements,
    counted.refs,
    counted.emergencies,
    array(
        select summed.fund from summed
        where
            (summed.number, summed.service_date, summed.since)
            = (counted.number, counted.service_date, counted.since)
        order by summed.fund
    ) as funds,
    array(
        select summed.fen from summed
        where
            (summed.number, summed.service_date, summed.since)
            = (counted.number, counted.service_date, counted.since)
        order by summed.fund
    ) as fens,
    array(
        select distinct fund
        from placed, unnest(placed.advanced) as other (fund)
        where
            (placed.number, placed.service_date, placed.since)
            = (counted.number, counted.service_date, counted.since)
        order by fund
    ) as advanced
from counted
order by counted.number, counted.service_date, counted.since

-- name: refunds
-- The reversals that each submission may hold, of settlements that something was deducted for, or recovered: by the number
-- of the submission. Locks: none.
select
    submission.number,
    encode(settlement.reverses, 'hex') as reverses,
    settlement.service_date,
    settlement."offset"
from unnest(
    $2::bigint [], $3::text [], $4::text [], $5::text [], $6::text [], $7::text [], $8::text [], $9::date [], $10::date []
) as submission (
    number, provider, area, insured_area, insutype, clr_type, clr_way, first_day, last_day
)
inner join settlements as settlement
    on
        settlement.lane = $1
        and submission.provider = settlement.provider
        and settlement.service_date between submission.first_day and submission.last_day
        and submission.area = settlement.area
        and submission.insured_area = settlement.insured_area
        and submission.insutype = settlement.insutype
        and submission.clr_type = settlement.clr_type
        and submission.clr_way = settlement.clr_way
        and submission.number > settlement."offset"
where
    settlement.reverses is not null
    and (
        exists (
            select from findings as finding
            where finding.lane = $1 and finding.settlement_ref = encode(settlement.reverses, 'hex')
        )
        or exists (
            select from recoveries as recovery
            where recovery.lane = $1 and recovery.settlement_ref = encode(settlement.reverses, 'hex')
        )
    )
order by settlement."offset"

-- name: save_claims
-- Claims that decisions changed. Locks: those rows; only this lane writes them.
insert into claims (lane, ref, provider, area, period_from, period_to, status, is_open, due, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::date [], $7::text::text [],
    $8::text::boolean [], $9::text::date [], $10::text::jsonb []
) as changed
on conflict (lane, ref) do update set
    period_from = excluded.period_from,
    period_to = excluded.period_to,
    status = excluded.status,
    is_open = excluded.is_open,
    due = excluded.due,
    body = excluded.body
