-- name: balances
-- Bank accounts, suspense, and what stands for them in STAT: debit less credit over all lanes. Null narrows nothing.
-- Locks: none; scans the buckets.
select
    area,
    fund,
    account,
    sum(debit - credit) as fen
from buckets
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text is null or fund = $3)
    and ($4::date is null or value_date <= $4)
    and account = any($5::text [])
group by area, fund, account

-- name: statements
-- The bank's last statement of each account, and what the books say of that very day, by the bank's booking days. Null
-- narrows nothing.
-- Locks: none; scans the buckets.
with last as (
    select distinct on (area, fund, bank_account)
        area,
        fund,
        bank_account,
        day,
        closing
    from statements
    where
        lane = any($1::smallint [])
        and ($2::text [] is null or area = any($2))
        and ($3::text is null or fund = $3)
        and ($4::date is null or day <= $4)
    order by area, fund, bank_account, day desc
)

select
    last.area,
    last.fund,
    last.bank_account,
    last.day,
    last.closing,
    (
        coalesce(sum(moved.debit - moved.credit), 0)
        + (
            select coalesce(sum(case when shift.booked_on <= last.day then shift.fen else -shift.fen end), 0)
            from shifts as shift
            where
                shift.lane = any($1) and shift.area = last.area and shift.fund = last.fund
                and shift.bank_account = last.bank_account
                and (shift.booked_on <= last.day) <> (shift.value_date <= last.day)
        )
    ) as books
from last
left join buckets as moved
    on
        moved.lane = any($1)
        and moved.book = 'OPS'
        and moved.area = last.area
        and moved.fund = last.fund
        and moved.account = last.bank_account
        and moved.value_date <= last.day
group by last.area, last.fund, last.bank_account, last.day, last.closing
