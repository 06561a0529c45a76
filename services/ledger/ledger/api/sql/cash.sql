-- name: balances
-- Bank accounts, suspense, and what stands for them in STAT, over all lanes: what is there now less what has a later value
-- date. Nothing of what has no earlier one. Null narrows nothing. Locks: none.
select
    now.area,
    now.fund,
    now.account,
    now.fen - coalesce(later.fen, 0) as fen
from (
    select
        area,
        fund,
        account,
        sum(fen) as fen
    from cash
    where
        lane = any($1::smallint [])
        and ($2::text [] is null or area = any($2))
        and ($3::text is null or fund = $3)
        and account = any($5::text [])
    group by area, fund, account
) as now
cross join lateral (
    select sum(debit - credit) as fen
    from buckets
    where
        lane = any($1)
        and area = now.area
        and fund = now.fund
        and account = now.account
        and account = any($5)
        and value_date > $4
) as later
where
    $4::date is null
    or exists (
        select from buckets
        where
            lane = any($1)
            and area = now.area
            and fund = now.fund
            and account = now.account
            and account = any($5)
            and value_date <= $4
    )

-- name: statements
-- The bank's last statement of each account, and what the books say of that very day, by the bank's booking days: what is
-- there now, less what has a later value date, and what the bank booked on the other side of that day than it valued. Null
-- narrows nothing. Locks: none.
with last as (
    select distinct on (statement.area, statement.fund, statement.bank_account)
        statement.area,
        statement.fund,
        statement.bank_account,
        statement.day,
        statement.closing
    from cash
    cross join lateral (
        select *
        from statements
        where
            statements.lane = cash.lane
            and statements.area = cash.area
            and statements.fund = cash.fund
            and statements.bank_account = cash.account
            and ($4::date is null or day <= $4)
        order by day desc
        limit 1
    ) as statement
    where
        cash.lane = any($1::smallint [])
        and ($2::text [] is null or cash.area = any($2))
        and ($3::text is null or cash.fund = $3)
        and cash.account in ('1002', '1003')
    order by statement.area, statement.fund, statement.bank_account, statement.day desc
)

select
    last.area,
    last.fund,
    last.bank_account,
    last.day,
    last.closing,
    (
        select coalesce(sum(fen), 0)
        from cash
        where lane = any($1) and area = last.area and fund = last.fund and account = last.bank_account
    ) - (
        select coalesce(sum(debit - credit), 0)
        from buckets
        where
            lane = any($1)
            and area = last.area
            and fund = last.fund
            and account = last.bank_account
            and account in ('1002', '1003')
            and value_date > last.day
    ) + (
        select coalesce(sum(fen), 0)
        from shifts
        where
            lane = any($1) and area = last.area and fund = last.fund and bank_account = last.bank_account
            and value_date > last.day and booked_on <= last.day
    ) - (
        select coalesce(sum(fen), 0)
        from shifts
        where
            lane = any($1) and area = last.area and fund = last.fund and bank_account = last.bank_account
            and booked_on > last.day and value_date <= last.day
    ) as books
from last
