-- name: claims
-- The claims that a batch of events can touch: those it names ($2, $3), those of its providers with something open ($4),
-- all that are open when a day is opened ($5), and those that may hold the same settlements as a submission ($6-$8). Each by
-- an index of its own, and then by name: one condition for all looks at every claim that the lane ever had. Locks: none.
with touched as (
    select
        provider,
        ref
    from unnest($2::text [], $3::text []) as named (provider, ref)
    union distinct
    select
        claim.provider,
        claim.ref
    from unnest($4::text []) as named (provider)
    inner join claims as claim on claim.lane = $1 and named.provider = claim.provider
    where claim.is_open
    union distinct
    select
        provider,
        ref
    from claims
    where lane = $1 and is_open and $5::boolean
    union distinct
    select
        claim.provider,
        claim.ref
    from unnest($6::text [], $7::date [], $8::date []) as submission (provider, first_day, last_day)
    inner join claims as claim
        on
            claim.lane = $1
            and submission.provider = claim.provider
            and submission.last_day >= claim.period_from
            and submission.first_day <= claim.period_to
)

select claim.body
from touched
inner join claims as claim on claim.lane = $1 and touched.provider = claim.provider and touched.ref = claim.ref

-- name: stretches
-- What was recorded before each submission, by day and by the stretches between the given cuts of the log, so that what
-- another batch has can be left out whole. `cuts` begin with 0. One pass over the settlements: what is joined again the
-- planner takes for one row, and it then looks at all of them for each. Locks: none.
with placed as (
    select
        submission.number,
        settlement.service_date,
        submission.cuts[width_bucket(settlement."offset", submission.cuts)] as since,
        settlement.ref,
        settlement.reverses,
        settlement.med_type,
        settlement.funds,
        settlement.fens,
        settlement.advanced
    from (
        select
            number,
            provider,
            area,
            insured_area,
            insutype,
            clr_type,
            clr_way,
            first_day,
            last_day,
            cuts::bigint [] as cuts
        from unnest(
            $2::bigint [], $3::text [], $4::text [], $5::text [], $6::text [], $7::text [], $8::text [], $9::date [],
            $10::date [], $11::text []
        ) as given (number, provider, area, insured_area, insutype, clr_type, clr_way, first_day, last_day, cuts)
    ) as submission
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

parts as (
    select
        placed.number,
        placed.service_date,
        placed.since,
        part.fund,
        count(*) filter (where part.fund is null) as settlements,
        string_agg(placed.ref, '') filter (where part.fund is null) as refs,
        string_agg(placed.reverses, '') filter (where part.fund is null) as reverses,
        bool_and(placed.med_type = '13') as emergencies,
        sum(part.fen) as fen,
        bool_or(part.borne) as borne
    from placed
    cross join lateral (
        select null::text as fund, null::bigint as fen, false as borne
        union all
        select fund, fen, false from unnest(placed.funds, placed.fens) as paid (fund, fen)
        union all
        select fund, null, true from unnest(placed.advanced) as other (fund)
    ) as part
    group by placed.number, placed.service_date, placed.since, part.fund
)

select
    number,
    service_date,
    since,
    sum(settlements)::bigint as settlements,
    string_agg(refs, '') as refs,
    coalesce(string_agg(reverses, ''), '') as reverses,
    bool_and(emergencies) as emergencies,
    coalesce(array_agg(fund order by fund) filter (where fen is not null), '{}') as funds,
    coalesce(array_agg(fen order by fund) filter (where fen is not null), '{}') as fens,
    coalesce(array_agg(fund order by fund) filter (where borne), '{}') as advanced
from parts
group by number, service_date, since
order by number, service_date, since

-- name: refunds
-- The reversals that each submission may hold, of settlements that something was deducted for, or recovered: by the number
-- of the submission. Locks: none.
select
    submission.number,
    submission.provider,
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
            where
                finding.lane = $1 and finding.provider = settlement.provider
                and finding.settlement_ref = encode(settlement.reverses, 'hex')
        )
        or exists (
            select from recoveries as recovery
            where
                recovery.lane = $1 and recovery.provider = settlement.provider
                and recovery.settlement_ref = encode(settlement.reverses, 'hex')
        )
    )
order by settlement."offset"

-- name: save_claims
-- Claims that decisions changed. A batch that was withdrawn may come again from the area that its provider has moved to.
-- Locks: those rows; only this lane writes them.
insert into claims (lane, provider, ref, area, period_from, period_to, status, is_open, due, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::date [], $7::text::text [],
    $8::text::boolean [], $9::text::date [], $10::text::jsonb []
) as changed
on conflict (lane, provider, ref) do update set
    area = excluded.area,
    period_from = excluded.period_from,
    period_to = excluded.period_to,
    status = excluded.status,
    is_open = excluded.is_open,
    due = excluded.due,
    body = excluded.body

-- name: keep_rejections
-- What was submitted last under a name, and rejected. Locks: its row; only this lane writes it.
insert into rejections (lane, provider, ref, area, submitted_on, body)
select
    $1,
    rejected.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::jsonb []
) as rejected
on conflict (lane, provider, ref) do update
set area = excluded.area, submitted_on = excluded.submitted_on, body = excluded.body

-- name: forget_rejections
-- A batch was accepted: what was wrong with an earlier one of its name is mended. Locks: its row; only this lane writes it.
delete from rejections
using unnest($2::text::text [], $3::text::text []) as accepted (provider, ref)
where
    rejections.lane = $1
    and accepted.provider = rejections.provider
    and accepted.ref = rejections.ref
