-- name: turnover
-- Turnover of one account by fund and clearing type, from the lines themselves. Scans the journal of the lanes in reach.
-- Null narrows nothing. Locks: none.
select
    fund,
    clr_type,
    count(*) as lines,
    sum(events)::bigint as events,
    coalesce(sum(amount) filter (where debit = $7), 0) as debit,
    coalesce(sum(amount) filter (where credit = $7), 0) as credit
from journal
where
    lane = any($1::smallint [])
    and book = $2::text
    and ($3::text [] is null or area = any($3))
    and ($4::text [] is null or party = any($4))
    and ($5::text [] is null or counterpart = any($5))
    and ($6::text is null or fund = $6)
    and $7::text in (debit, credit)
    and ($8::date is null or value_date <= $8)
    and ($9::date is null or recorded_date <= $9)
group by fund, clr_type
order by fund, clr_type
