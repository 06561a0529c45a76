-- name: prepayments
-- Prepayments by name. Null narrows nothing. Locks: none.
select
    lane,
    provider,
    ref,
    body
from prepayments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::smallint is null or year = $4)
    and ($5::text is null or fund = $5)
    and ($6::text is null or kind = $6)
    and ($7::text is null or status = $7)
    and ($8::boolean is null or exists (
        select from jsonb_each_text(body -> 'outstanding') as part (fund, fen)
        where part.fen::bigint <> 0
    ) = $8)
    and ($9::text is null or (ref, lane, provider) > ($9, $10::smallint, $11::text))
order by ref, lane, provider
limit $12::int

-- name: one
-- A prepayment by its name, which begins with whose it is. Locks: none.
select
    lane,
    area,
    provider
from prepayments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and provider = split_part($4::text, '/', 1)
    and ref = $4

-- name: steps
-- What became of the prepayments of a provider's year, each in its order. Locks: none.
select
    step.provider,
    step.ref,
    step.number,
    step.what,
    step.day,
    step.fen,
    step.left_fen as left,
    step.about
from prepayments as prepayment
inner join prepayment_steps as step
    on prepayment.lane = step.lane and prepayment.provider = step.provider and prepayment.ref = step.ref
where
    prepayment.lane = any($1::smallint [])
    and ($2::text [] is null or prepayment.area = any($2))
    and ($3::text [] is null or prepayment.provider = any($3))
    and prepayment.year = $4
order by step.ref, step.number

-- name: by_day
-- How much went out, less what came back, on each day, by fund. Locks: none.
select
    prepayment.fund,
    step.day,
    sum(case step.what when 'PAID' then step.fen else -step.fen end) as fen
from prepayments as prepayment
inner join prepayment_steps as step
    on prepayment.lane = step.lane and prepayment.provider = step.provider and prepayment.ref = step.ref
where
    prepayment.lane = any($1::smallint [])
    and ($2::text [] is null or prepayment.area = any($2))
    and ($3::text [] is null or prepayment.provider = any($3))
    and ($4::text is null or prepayment.fund = $4)
    and step.what in ('PAID', 'CAME_BACK', 'OFFSET', 'RETURNED')
    and step.day is not null
group by prepayment.fund, step.day
order by prepayment.fund, step.day

-- name: outstanding
-- The prepayments of which something is out. Locks: none.
select body
from prepayments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text is null or fund = $4)
    and is_open
    and exists (
        select from jsonb_each_text(body -> 'outstanding') as part (fund, fen)
        where part.fen::bigint > 0
    )
