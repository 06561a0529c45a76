-- name: payments
-- The payments that a batch of events can touch: those it names ($2, $3), those of some payables that wait to be sent or to
-- be asked for again ($4, $5), those that runs may take ($6 areas, $7 funds), and what was approved on a day ($10) for the
-- payees of some ($8, $9); one that is ordered in the same batch is not here yet, and pays its provider. Each by an index
-- of its own, and then by name: with one condition for all, every payment found is compared with every name. Locks: none.
with touched as (
    select
        provider,
        payment_ref
    from unnest($2::text [], $3::text []) as named (provider, payment_ref)
    union distinct
    select
        payment.provider,
        payment.payment_ref
    from unnest($4::text [], $5::text []) as payable (provider, ref)
    inner join payments as payment
        on payment.lane = $1 and payable.provider = payment.provider and payment.body ->> 'payable_ref' = payable.ref
    where payment.status in ('ORDERED', 'APPROVED') or payment.to_retry
    union distinct
    select
        payment.provider,
        payment.payment_ref
    from unnest($6::text [], $7::text []) as run (area, fund)
    inner join payments as payment
        on payment.lane = $1 and payment.status = 'APPROVED' and run.area = payment.area and run.fund = payment.fund
    union distinct
    select
        payment.provider,
        payment.payment_ref
    from (
        select payment.payee
        from unnest($8::text [], $9::text []) as approved (provider, payment_ref)
        inner join payments as payment
            on
                payment.lane = $1 and approved.provider = payment.provider
                and approved.payment_ref = payment.payment_ref
        union distinct
        select unnest($8::text [])
    ) as paid
    inner join payments as payment
        on payment.lane = $1 and paid.payee = payment.payee and payment.approved_on = $10::date
)

select payment.body
from touched
inner join payments as payment
    on payment.lane = $1 and touched.provider = payment.provider and touched.payment_ref = payment.payment_ref

-- name: runs
-- Where the lane was told of some runs first. Locks: none.
select
    body ->> 'run_ref' as run_ref,
    min("offset") as first_offset
from facts
where type = 'payment.run.opened.v1' and lane = $1 and body ->> 'run_ref' = any($2::text [])
group by body ->> 'run_ref'

-- name: save_payments
-- Payments that decisions changed. Locks: those rows; only this lane writes them.
insert into payments (
    lane, provider, payment_ref, payee, policy_ref, status, area, fund, fen, due, end_to_end_id, run_ref, to_retry,
    withheld, approved_on, body
)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::text [], $7::text::text [],
    $8::text::text [], $9::text::bigint [], $10::text::date [], $11::text::text [], $12::text::text [],
    $13::text::boolean [], $14::text::boolean [], $15::text::date [], $16::text::jsonb []
) as changed
on conflict (lane, provider, payment_ref) do update set
    status = excluded.status,
    end_to_end_id = excluded.end_to_end_id,
    run_ref = excluded.run_ref,
    to_retry = excluded.to_retry,
    withheld = excluded.withheld,
    approved_on = excluded.approved_on,
    body = excluded.body

-- name: to_send
-- Runs that the lane was told of are the bank process's to send. Locks: none beyond the new rows.
insert into errands (what, lane, ref)
select distinct
    'RUN',
    $1::smallint,
    run_ref
from unnest($2::text []) as told (run_ref)
on conflict (what, lane, ref) do nothing

-- name: suspense
-- The suspense items that a batch of events names, and those that are open in the areas where one is placed. Locks: none.
select body
from suspense
where lane = $1 and (item_ref = any($2::text []) or (is_open and area = any($3::text [])))

-- name: save_suspense
-- Suspense items that decisions changed; those of which somebody has to be told are the bank process's to tell. Locks: those
-- rows; only this lane writes them.
with saved as (
    insert into suspense (lane, item_ref, area, is_open, body)
    select
        $1,
        changed.*
    from unnest($2::text::text [], $3::text::text [], $4::text::boolean [], $5::text::jsonb []) as changed
    on conflict (lane, item_ref) do update set is_open = excluded.is_open, body = excluded.body
    returning lane, item_ref, is_open, body
)

insert into errands (what, lane, ref)
select
    'ITEM',
    lane,
    item_ref
from saved
where
    not is_open
    and (
        body ->> 'placed_as' not in (
            'FISCAL', 'CORRECTED', 'INTEREST', 'OTHER_INCOME', 'FEE', 'OTHER_PAYER', 'INTER_FUND'
        )
        or (body ? 'target_lane' and body ->> 'direction' = 'OUT')
    )
on conflict (what, lane, ref) do nothing

-- name: move
-- What moved on bank accounts, and what is in them by that. The same line told twice is booked twice, here as in the ledger,
-- and then differs from the bank. Locks: those rows; only this lane writes them.
with moved as (
    select
        moved.area,
        moved.fund,
        moved.bank_account,
        moved.value_date,
        moved.bank_txn,
        moved.provider,
        moved.ref,
        sum(moved.fen) as fen,
        moved.booked_on,
        moved.direction
    from unnest(
        $2::text::text [], $3::text::text [], $4::text::text [], $5::text::date [], $6::text::text [], $7::text::text [],
        $8::text::text [], $9::text::numeric [], $10::text::date [], $11::text::text []
    ) as moved (area, fund, bank_account, value_date, bank_txn, provider, ref, fen, booked_on, direction)
    group by
        moved.area, moved.fund, moved.bank_account, moved.value_date, moved.bank_txn, moved.provider, moved.ref,
        moved.booked_on, moved.direction
),

kept as (
    insert into moves (lane, area, fund, bank_account, value_date, bank_txn, provider, ref, fen, booked_on, direction)
    select
        $1,
        moved.*
    from moved
    on conflict (lane, area, fund, bank_account, bank_txn, provider, ref, value_date, booked_on, direction)
    do update set fen = moves.fen + excluded.fen
)

insert into cash (lane, area, fund, bank_account, fen)
select
    $1,
    area,
    fund,
    bank_account,
    sum(fen)
from moved
group by area, fund, bank_account
on conflict (lane, area, fund, bank_account) do update set fen = cash.fen + excluded.fen

-- name: payees
-- Where providers and suppliers are paid to. Locks: none.
select
    provider,
    area,
    body
from payees
where lane = $1

-- name: save_payees
-- Locks: those rows; only this lane writes them.
insert into payees (lane, provider, area, body)
select
    $1,
    changed.*
from unnest($2::text::text [], $3::text::text [], $4::text::jsonb []) as changed
on conflict (lane, provider, area) do update set body = excluded.body
