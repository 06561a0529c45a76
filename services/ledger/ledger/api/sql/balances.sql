-- name: balances
-- One line for each place that money stands at, from the day buckets alone. The order is that of the primary key, so a
-- page reads its own rows and stops. Null narrows nothing. Locks: none.
select
    lane,
    party,
    account,
    fund,
    area,
    counterpart,
    sum(debit) as debit,
    sum(credit) as credit
from buckets
where
    lane = any($1::smallint [])
    and book = $2::text
    and ($3::text [] is null or area = any($3))
    and ($4::text [] is null or party = any($4))
    and ($5::text [] is null or counterpart = any($5))
    and ($6::text is null or fund = $6)
    and ($7::text is null or account = $7)
    and ($8::date is null or value_date <= $8)
    and ($9::date is null or recorded_date <= $9)
    and (
        $10::smallint is null
        or (lane, party, account, book, fund, area, counterpart)
        > ($10, $11::text, $12::text, $2, $13::text, $14::text, $15::text)
    )
group by lane, party, account, fund, area, counterpart
order by lane, party, account, fund, area, counterpart
limit $16::int

-- name: trial_balance
-- Turnover of every account by area and fund. Scans the buckets of all lanes in reach. Locks: none.
select
    area,
    fund,
    account,
    sum(debit) as debit,
    sum(credit) as credit
from buckets
where
    lane = any($1::smallint [])
    and book = $2::text
    and ($3::text [] is null or area = any($3))
    and ($4::text [] is null or party = any($4))
    and ($5::text [] is null or counterpart = any($5))
    and ($6::text is null or fund = $6)
    and ($7::text is null or account = $7)
    and ($8::date is null or value_date <= $8)
    and ($9::date is null or recorded_date <= $9)
group by area, fund, account
order by area, fund, account
limit $10::int
