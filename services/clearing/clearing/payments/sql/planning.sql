-- name: pins
-- Up to where each lane has taken the agency's topic: what was approved before. Locks: none.
select
    lane,
    next_offset
from positions
where topic = 'agency'

-- name: available
-- What is in a bank account by the books, less what was sent to the bank and is not answered yet. Locks: none.
select
    coalesce((
        select sum(fen) from cash
        where area = $1 and fund = $2 and bank_account = $3
    ), 0) as cash,
    coalesce((
        select sum(payment.fen - coalesce(paid.fen, 0))
        from payments as payment
        left join lateral (
            select sum(fen::bigint) as fen from jsonb_each_text(payment.body -> 'settled') as part (fund, fen)
        ) as paid on true
        where payment.area = $1 and payment.fund = $2 and payment.status = 'SENT'
    ), 0) as on_its_way

-- name: approved
-- The approved payments of a fund that may be sent on a day, by lane, in the order of due days, as far as the money goes;
-- and how many there are in all. Providers may call theirs alike: each is one by itself, in the order that lanes know,
-- whatever the collation of the database. Locks: none.
with approved as (
    select
        lane,
        payment_ref,
        due,
        fen,
        sum(fen) over (order by due, payment_ref collate "C", provider collate "C") as running
    from payments
    where
        status = 'APPROVED' and area = $1 and fund = $2 and due <= $3
        and (body ->> 'expires_on')::date >= $4
)

select
    lane,
    count(*) filter (where running <= $5) as payments,
    coalesce(sum(fen) filter (where running <= $5), 0) as fen,
    count(*) as all_payments,
    sum(fen) as all_fen
from approved
group by lane
order by lane

-- name: which
-- Which payments those are, and how much each, as one digest: what somebody has seen is what is sent. Null where there are
-- none. Locks: none.
with approved as (
    select
        due,
        provider,
        payment_ref,
        fen,
        sum(fen) over (order by due, payment_ref collate "C", provider collate "C") as running
    from payments
    where
        status = 'APPROVED' and area = $1 and fund = $2 and due <= $3
        and (body ->> 'expires_on')::date >= $4
)

select
    encode(sha256(convert_to(string_agg(
        concat_ws(' ', provider, payment_ref, fen), e'\n'
        order by due, payment_ref collate "C", provider collate "C"
    ), 'UTF8')), 'hex')
from approved
where running <= $5

-- name: last_of
-- The last payment of those, in their order. Locks: none.
select
    due,
    payment_ref
from payments
where
    status = 'APPROVED' and area = $1 and fund = $2 and due <= $3
    and (body ->> 'expires_on')::date >= $4
order by due, payment_ref collate "C", provider collate "C"
offset $5
limit 1

-- name: slot
-- The run that was made last for a bank account. Whoever makes the next one waits here. Locks: the account's row, until the
-- run is kept.
insert into runs (area, fund, bank_account, run_ref) values ($1, $2, $3, '')
on conflict (area, fund, bank_account) do update set run_ref = runs.run_ref
returning run_ref

-- name: take_slot
-- Locks: the row that is locked already.
update runs set run_ref = $4
where area = $1 and fund = $2 and bank_account = $3

-- name: undecided
-- Whether some lane has not decided a run yet. Locks: none.
select count(distinct lane) < $2
from facts
where type = 'payment.run.opened.v1' and name = $1
