-- name: known
-- Of a lane, read when it is claimed: registered providers. Locks: none.
select provider, area
from providers
where lane = $1

-- name: policies
-- Every policy that was published, in the order of the log. Locks: none.
select event
from policies
where lane = $1
order by "offset"

-- name: notices
-- Every notice of working days, in the order of the log. Locks: none.
select event
from notices
where lane = $1
order by "offset"

-- name: register
-- The last word on a provider. Locks: its row; only this lane writes it.
insert into providers (lane, provider, area)
select
    $1,
    registered.provider,
    registered.area
from unnest($2::text::text [], $3::text::text []) as registered (provider, area)
on conflict (lane, provider) do update set area = excluded.area

-- name: publish
-- Policies of a batch. Locks: none beyond the new rows.
insert into policies (lane, "offset", event)
select
    $1,
    published."offset",
    published.event
from unnest($2::text::bigint [], $3::text::jsonb []) as published ("offset", event)

-- name: notify
-- Notices of a batch. Locks: none beyond the new rows.
insert into notices (lane, "offset", event)
select
    $1,
    published."offset",
    published.event
from unnest($2::text::bigint [], $3::text::jsonb []) as published ("offset", event)

-- name: payments
-- The payments that a batch of events names. Locks: none.
select body
from payments
where lane = $1 and payment_ref = any($2::text [])

-- name: claims
-- The claims that a batch of events can touch: those it names ($2), those of its providers with something open ($3), all
-- that are open when a day is opened ($4), and those that may hold the same settlements as a submission ($5-$7). Locks: none.
select body
from claims
where
    lane = $1
    and (
        batch = any($2::text [])
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
        string_agg(ref, '') as refs
    from placed
    group by number, service_date, since
)

select
    counted.number,
    counted.service_date,
    counted.since,
    counted.settlements,
    counted.refs,
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

-- name: save_claims
-- Claims that decisions changed. Locks: those rows; only this lane writes them.
insert into claims (lane, batch, provider, area, period_from, period_to, status, is_open, due, body)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::date [], $7::text::text [],
    $8::text::boolean [], $9::text::date [], $10::text::jsonb []
) as changed
on conflict (lane, batch) do update set
    period_from = excluded.period_from,
    period_to = excluded.period_to,
    status = excluded.status,
    is_open = excluded.is_open,
    due = excluded.due,
    body = excluded.body

-- name: save_payments
-- Payments that decisions changed. Locks: those rows; only this lane writes them.
insert into payments (lane, payment_ref, provider, status, body)
select
    $1,
    changed.*
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::jsonb []) as changed
on conflict (lane, payment_ref) do update set status = excluded.status, body = excluded.body
