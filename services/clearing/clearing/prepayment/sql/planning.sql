-- name: candidates
-- The prepayments of an area's year that were found good ($4: their states), what their providers were approved in their
-- fund for the months of a base period, of which the fund bears nothing for visitors nor for other payers, for which of
-- these months that is, and what the other kind gives them. Locks: none.
with candidate as (
    select
        lane,
        provider,
        fund,
        body
    from prepayments
    where area = $1 and year = $2 and kind = $3 and status = any($4::text [])
),

approved as (
    select
        claim.lane,
        claim.provider,
        part.fund,
        part.fen::bigint as fen,
        claim.period_from,
        claim.period_to
    from (select distinct lane, provider from candidate) as named
    inner join claims as claim on named.lane = claim.lane and named.provider = claim.provider
    cross join lateral jsonb_each_text(claim.body -> 'approved') as part (fund, fen)
    where
        claim.area = $1 and claim.status = 'APPROVED' and claim.period_from >= $5
        and claim.period_to < ($6::date + interval '1 month')
        and claim.body -> 'dimensions' ->> 'insured_area' = $1
        and not claim.body -> 'dimensions' -> 'advanced' ? part.fund
),

settled as (
    select
        approved.lane,
        approved.provider,
        approved.fund,
        sum(approved.fen) as fen
    from approved
    group by approved.lane, approved.provider, approved.fund
),

covered as (
    select
        approved.lane,
        approved.provider,
        approved.fund,
        array_agg(distinct month::date) as months
    from approved
    cross join lateral generate_series(
        date_trunc('month', approved.period_from::timestamp), approved.period_to, interval '1 month'
    ) as month
    group by approved.lane, approved.provider, approved.fund
)

select
    candidate.lane,
    candidate.body,
    coalesce(settled.fen, 0) as settled,
    coalesce(covered.months, '{}') as months,
    (
        select coalesce(sum((other.body ->> 'granted')::bigint), 0)
        from prepayments as other
        where
            other.lane = candidate.lane and other.provider = candidate.provider and other.fund = candidate.fund
            and other.year = $2 and other.kind not in ($3, 'BULK') and other.status = 'APPROVED' and other.is_open
    ) as given
from candidate
left join settled
    on
        candidate.lane = settled.lane
        and candidate.provider = settled.provider
        and candidate.fund = settled.fund
left join covered
    on
        candidate.lane = covered.lane
        and candidate.provider = covered.provider
        and candidate.fund = covered.fund

-- name: became
-- What became of the prepayments of an area's year, and of the year before. Locks: none.
select
    ref,
    provider,
    fund,
    year,
    status,
    (body ->> 'granted')::bigint as granted,
    coalesce((body -> 'outstanding' ->> fund)::bigint, 0) as outstanding,
    coalesce((body -> 'taken' ->> fund)::bigint, 0) + coalesce((body -> 'returned' ->> fund)::bigint, 0) as back
from prepayments
where area = $1 and year between $2::smallint - 1 and $2 and kind = $3

-- name: keep
-- A plan as it was made; asking again for the same name changes nothing. Locks: none beyond the new row.
insert into prepayment_plans (plan_ref, area, hash, made_by, made_at, body, year, replaces)
select
    $1,
    $2,
    $3,
    $4,
    $5,
    $6::jsonb,
    ($6::jsonb -> 'wanted' ->> 'year')::smallint,
    $6::jsonb -> 'wanted' ->> 'replaces'
on conflict (area, plan_ref) do nothing

-- name: kept
-- A plan of an area that was made. Locks: none.
select
    plan_ref,
    area,
    year,
    hash,
    made_by,
    made_at,
    replaces,
    body
from prepayment_plans
where area = $1 and plan_ref = $2

-- name: approve
-- Somebody said yes to a plan; once for each person. Locks: none beyond the new row.
insert into prepayment_approvals (area, plan_ref, staff_ref, role, at)
values ($1, $2, $3, $4, $5)
on conflict (area, plan_ref, staff_ref) do nothing

-- name: approvals
-- Who said yes, in the order in which they did. Locks: none.
select
    staff_ref,
    role,
    at
from prepayment_approvals
where area = $1 and plan_ref = $2
order by at, staff_ref
