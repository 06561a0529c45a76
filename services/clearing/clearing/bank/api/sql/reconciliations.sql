-- name: accounts
-- The last statement up to a day of each account, and what the books had in it at the end of its day: what is there now less
-- what moved since. From account to account by the index, for each has a statement every day. Null narrows nothing. Locks:
-- none.
with recursive account as (
    (
        select
            area,
            fund,
            bank_account
        from bank_statements
        where area = any($1::text [])
        order by area, fund, bank_account
        limit 1
    )
    union all
    select
        next.area,
        next.fund,
        next.bank_account
    from account
    cross join lateral (
        select
            area,
            fund,
            bank_account
        from bank_statements
        where
            area = any($1::text [])
            and (area, fund, bank_account) > (account.area, account.fund, account.bank_account)
        order by area, fund, bank_account
        limit 1
    ) as next
)

select
    statement.area,
    statement.fund,
    statement.bank_account,
    statement.day,
    statement.statement_ref,
    statement.opening,
    statement.closing,
    statement.lines,
    coalesce((
        select sum(fen) from cash
        where
            cash.area = statement.area and cash.fund = statement.fund and cash.bank_account = statement.bank_account
    ), 0) - coalesce((
        select sum(move.fen) from moves as move
        where
            move.area = statement.area and move.fund = statement.fund
            and move.bank_account = statement.bank_account and move.booked_on > statement.day
    ), 0) as books
from account
cross join lateral (
    select *
    from bank_statements as told
    where
        told.area = account.area and told.fund = account.fund and told.bank_account = account.bank_account
        and told.day <= $2
    order by told.day desc
    limit 1
) as statement
where $3::text is null or account.fund = $3
order by statement.area, statement.fund, statement.bank_account

-- name: matched
-- The lines of a statement that the books have under the same numbers, days and directions with the same sums: for one thing, for several, for
-- something that other lines are about too, or in suspense. Locks: none.
with line as (
    select
        bank_txn,
        booked_on,
        direction,
        fen
    from bank_lines
    where area = $1 and fund = $2 and bank_account = $3 and day = $4
),

booked as (
    select
        line.fen,
        booked.*
    from line
    left join lateral (
        select
            sum(move.fen) as booked,
            count(distinct (move.lane, move.provider, move.ref)) as things,
            bool_or(exists (
                select from suspense as item
                where item.lane = move.lane and item.item_ref = move.ref
            )) as in_suspense,
            bool_or(exists (
                select from moves as other
                where
                    other.area = $1 and other.ref = move.ref and other.fund = $2 and other.bank_account = $3
                    and other.lane = move.lane and other.provider = move.provider
                    and (other.bank_txn, other.booked_on) <> (move.bank_txn, move.booked_on)
                    and other.direction = move.direction
            )) as in_parts
        from moves as move
        where
            move.area = $1 and move.fund = $2 and move.bank_account = $3 and move.bank_txn = line.bank_txn
            and move.booked_on = line.booked_on and move.direction = line.direction
    ) as booked on true
)

select
    case
        when in_suspense then 'SUSPENSE'
        when things > 1 then 'ONE_TO_MANY'
        when in_parts then 'MANY_TO_ONE'
        else 'ONE_TO_ONE'
    end as kind,
    count(*) as lines,
    coalesce(sum(fen) filter (where fen > 0), 0) as came,
    coalesce(-sum(fen) filter (where fen < 0), 0) as went
from booked
where booked = fen
group by kind
order by kind

-- name: differing
-- What is in one of the two alone, or there with another sum: lines of a statement ($4), and what the books had of the
-- days since the account's first statement. Of each kind the oldest, at most so many ($5), and how many there are in all.
-- Locks: none.
with differing as (
    select
        case when booked.fen is null then 'BANK_ONLY' else 'DIFFERS' end as kind,
        line.bank_txn,
        line.value_date,
        line.ref,
        line.fen as bank,
        booked.fen as books
    from bank_lines as line
    left join lateral (
        select sum(move.fen) as fen
        from moves as move
        where
            move.area = $1 and move.fund = $2 and move.bank_account = $3 and move.bank_txn = line.bank_txn
            and move.booked_on = line.booked_on and move.direction = line.direction
    ) as booked on true
    where
        line.area = $1 and line.fund = $2 and line.bank_account = $3 and line.day = $4
        and booked.fen is distinct from line.fen
    union all
    select
        'BOOKS_ONLY' as kind,
        move.bank_txn,
        min(move.value_date) as value_date,
        min(move.ref) as ref,
        null as bank,
        sum(move.fen) as books
    from moves as move
    where
        move.area = $1 and move.fund = $2 and move.bank_account = $3 and move.booked_on <= $4
        and move.booked_on >= (
            select min(day) from bank_statements
            where area = $1 and fund = $2 and bank_account = $3
        )
        and not exists (
            select from bank_lines as line
            where
                line.area = $1 and line.fund = $2 and line.bank_account = $3 and line.bank_txn = move.bank_txn
                and line.booked_on = move.booked_on and line.direction = move.direction
        )
    group by move.bank_txn, move.booked_on, move.direction
),

ordered as (
    select
        *,
        row_number() over (partition by kind order by value_date, bank_txn) as place,
        count(*) over (partition by kind) as items,
        sum(coalesce(bank, 0) - coalesce(books, 0)) over (partition by kind) as fen,
        min(value_date) over (partition by kind) as oldest
    from differing
)

select * from ordered
where place <= $5
order by kind, place

-- name: on_its_way
-- What was sent to the bank up to a day and is not answered in full; no items where there is none. Locks: none.
select
    count(*) as items,
    -sum(payment.fen - coalesce(paid.fen, 0)) as fen,
    min(payment.body ->> 'execute_on')::date as oldest
from payments as payment
left join lateral (
    select sum(fen::bigint) as fen from jsonb_each_text(payment.body -> 'settled') as part (fund, fen)
) as paid on true
where payment.area = $1 and payment.fund = $2 and payment.status = 'SENT' and payment.body ->> 'execute_on' <= $3::text
having count(*) > 0

-- name: in_suspense
-- What nobody has placed, up to a day; no items where there is none. Locks: none.
select
    count(*) as items,
    sum(case when body ->> 'direction' = 'IN' then part.fen::bigint else -part.fen::bigint end) as fen,
    min(body ->> 'value_date')::date as oldest
from suspense
cross join lateral jsonb_each_text(body -> 'amounts') as part (fund, fen)
where
    area = $1 and is_open and part.fund = $2 and body ->> 'bank_account' = $3
    and coalesce(body ->> 'booked_on', body ->> 'value_date') <= $4::text
having count(*) > 0
