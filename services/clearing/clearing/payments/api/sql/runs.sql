-- name: runs
-- Payment runs, the last first: those that lanes have decided, and those that are kept and on their way to them. Of each as
-- many as a page can hold are read, in the order of an index. Null narrows nothing. Locks: none.
with told as (
    (
        select distinct on (body ->> 'execute_on', body ->> 'run_ref', lane)
            lane,
            body
        from facts
        where
            type = 'payment.run.opened.v1'
            and lane = any($1::smallint [])
            and ($2::text [] is null or body ->> 'area' = any($2))
            and ($3::text is null or body ->> 'fund' = $3)
            and ($4::text is null or name = $4)
            and ($5::text is null or (body ->> 'execute_on', body ->> 'run_ref') < ($5, $6::text))
        order by body ->> 'execute_on' desc, body ->> 'run_ref' desc, lane desc
        limit $7::int * cardinality($1)
    )
    union all
    (
        select
            null as lane,
            body
        from commands
        where
            kind = 'run'
            and ($2 is null or body ->> 'area' = any($2))
            and ($3 is null or body ->> 'fund' = $3)
            and ($4 is null or name = $4)
            and ($5 is null or (body ->> 'execute_on', body ->> 'run_ref') < ($5, $6))
        order by body ->> 'execute_on' desc, body ->> 'run_ref' desc
        limit $7
    )
)

select
    body ->> 'run_ref' as run_ref,
    body ->> 'execute_on' as execute_on,
    count(lane) as decided,
    (array_agg(body))[1] as body
from told
group by body ->> 'run_ref', body ->> 'execute_on'
order by body ->> 'execute_on' desc, body ->> 'run_ref' desc
limit $7

-- name: sent
-- What became of the payments that some runs sent, by run and state. Locks: none.
select
    payment.run_ref,
    payment.status,
    count(*) as payments,
    sum(payment.fen) as fen,
    sum(part.settled) as settled,
    count(*) filter (where part.returned > 0) as payments_returned,
    sum(part.returned) as returned
from payments as payment
cross join lateral (
    select
        coalesce((select sum(fen::bigint) from jsonb_each_text(payment.body -> 'settled') as s (fund, fen)), 0) as settled,
        coalesce((select sum(fen::bigint) from jsonb_each_text(payment.body -> 'returned') as r (fund, fen)), 0) as returned
) as part
where payment.run_ref = any($1::text []) and ($2::text [] is null or payment.area = any($2))
group by payment.run_ref, payment.status

-- name: withheld
-- How many payments some runs of some funds left out, and why. Locks: none.
select
    why ->> 'run_ref' as run_ref,
    why ->> 'code' as code,
    count(*) as payments,
    sum(payment.fen) as fen
from payments as payment
cross join lateral jsonb_array_elements(payment.body -> 'withheld') as why
where
    payment.withheld
    and ($2::text [] is null or payment.area = any($2))
    and payment.fund = any($3::text [])
    and why ->> 'run_ref' = any($1::text [])
group by why ->> 'run_ref', why ->> 'code'
order by why ->> 'run_ref', why ->> 'code'

-- name: withheld_payments
-- Which payments a run of a fund left out, and why. Locks: none.
select
    payment.payment_ref,
    payment.provider,
    payment.fen,
    payment.status,
    why ->> 'code' as code,
    why ->> 'detail' as detail
from payments as payment
cross join lateral jsonb_array_elements(payment.body -> 'withheld') as why
where
    payment.withheld
    and ($2::text [] is null or payment.area = any($2))
    and payment.fund = $3
    and why ->> 'run_ref' = $1
order by why ->> 'code', payment.payment_ref, payment.provider
limit $4::int

-- name: by_due
-- What a run would take of what is approved, by due day: as far as the money goes ($5). Locks: none.
with approved as (
    select
        due,
        fen,
        sum(fen) over (order by due, payment_ref collate "C", provider collate "C") as running
    from payments
    where
        status = 'APPROVED' and area = $1 and fund = $2 and due <= $3
        and (body ->> 'expires_on')::date >= $4
)

select
    due,
    count(*) as approved,
    sum(fen) as approved_fen,
    count(*) filter (where running <= $5) as planned,
    coalesce(sum(fen) filter (where running <= $5), 0) as planned_fen
from approved
group by due
order by due

-- name: held_up
-- Why the payment files of some runs have not gone out, where there is a reason: the last one. Locks: none.
select distinct on (message_id)
    message_id as run_ref,
    detail
from bank_files as file
where
    direction = 'OUT' and outcome = 'HELD_UP' and message_id = any($1::text [])
    and not exists (
        select from bank_files as gone
        where gone.direction = 'OUT' and gone.message_id = file.message_id and gone.outcome <> 'HELD_UP'
    )
order by message_id asc, at desc

-- name: is_registered
-- Whether the bank process's register has an account; null where no bank process has told. Locks: none.
select own @> jsonb_build_array(jsonb_build_array($1::text, $2::text, $3::text))
from bank_register

-- name: undecided
-- The last run of an account, where some of $4 lanes have not decided it. Locks: none.
select run_ref
from runs
where
    area = $1 and fund = $2 and bank_account = $3 and run_ref <> ''
    and (
        select count(distinct lane) < $4
        from facts
        where type = 'payment.run.opened.v1' and name = runs.run_ref
    )
