-- name: positions
-- How far a service has come in each lane; asked of the ledger's schema and of the clearing service's. Locks: none.
select
    lane,
    topic,
    next_offset
from positions

-- name: undelivered
-- Asked of the clearing service's own schema: decisions on their way to the log. Locks: none.
select coalesce(sum(decisions), 0)
from undelivered

-- name: count_statements
-- How many there are to compare. Locks: none.
select count(*)
from statements

-- name: differences
-- Statements that the books do not agree with, by the bank's booking days. A fen that is missing on one day is missing on every later day: only the
-- first statement of a difference is told. What moved on a day is in its closing balance, so the sum runs over days and
-- not over rows. Locks: none; scans the buckets of all lanes.
with days as (
    select
        area,
        fund,
        account as bank_account,
        value_date as day,
        sum(debit - credit) as moved,
        null::bigint as closing
    from buckets
    where book = 'OPS' and account in ('1002', '1003')
    group by area, fund, account, value_date
    union all
    select
        shift.area,
        shift.fund,
        shift.bank_account,
        moved.day,
        sum(moved.fen),
        null
    from shifts as shift
    cross join lateral (values (shift.value_date, -shift.fen), (shift.booked_on, shift.fen)) as moved (day, fen)
    group by shift.area, shift.fund, shift.bank_account, moved.day
    union all
    select
        area,
        fund,
        bank_account,
        day,
        0,
        closing
    from statements
),

stood as (
    select
        area,
        fund,
        bank_account,
        day,
        closing,
        sum(moved) over (
            partition by area, fund, bank_account
            order by day range between unbounded preceding and current row
        ) as books
    from days
),

told as (
    select
        area,
        fund,
        bank_account,
        day,
        closing,
        books,
        lag(closing - books, 1, 0::numeric) over (partition by area, fund, bank_account order by day) as before
    from stood
    where closing is not null
)

select
    area,
    fund,
    bank_account,
    day,
    closing,
    books
from told
where closing <> books and closing - books <> before
order by area, fund, bank_account, day
limit $1
