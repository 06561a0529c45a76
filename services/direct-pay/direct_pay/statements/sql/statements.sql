-- name: statements
-- Those that are named ($2-$4), and, when a day ($5) is opened, those for which something may follow from it; one that is
-- looked at always ($7) as long as it was submitted after a day ($6). Each by an index of its own. Locks: none.
select
    statement.provider,
    statement.supplier,
    statement.ref,
    statement.body
from unnest($2::text [], $3::text [], $4::text []) as named (provider, supplier, ref)
inner join statements as statement
    on
        statement.lane = $1 and named.provider = statement.provider and named.supplier = statement.supplier
        and named.ref = statement.ref
union all
select
    provider,
    supplier,
    ref,
    body
from statements
where lane = $1 and look_on <= $5::date and (look_on > $7::date or submitted_on >= $6::date)

-- name: save_statements
-- Statements of which something was said or decided. Locks: those rows; only this lane writes them.
insert into statements (
    lane, provider, supplier, ref, area, status, period, submitted_on, mode, due, look_on, is_pending, in_dispute, pay_by,
    body
)
select
    $1,
    said.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::text [], $7::text::date [],
    $8::text::date [], $9::text::text [], $10::text::date [], $11::text::date [], $12::text::boolean [],
    $13::text::boolean [], $14::text::date [], $15::text::text []
) as said
on conflict (lane, provider, supplier, ref) do update set
    area = excluded.area,
    status = excluded.status,
    period = excluded.period,
    submitted_on = excluded.submitted_on,
    mode = excluded.mode,
    due = excluded.due,
    look_on = excluded.look_on,
    is_pending = excluded.is_pending,
    in_dispute = excluded.in_dispute,
    pay_by = excluded.pay_by,
    body = excluded.body

-- name: owners
-- Of what is listed ($4) by suppliers ($3) for providers ($2) and was not registered so: who registered that number first in
-- the lane. Locks: none.
select distinct on (listed.ref)
    listed.ref as listed,
    invoice.provider,
    invoice.supplier
from unnest($2::text [], $3::text [], $4::text []) as listed (provider, supplier, ref)
inner join invoices as invoice on invoice.lane = $1 and listed.ref = invoice.ref
where invoice.issued_on is not null and (listed.provider, listed.supplier) <> (invoice.provider, invoice.supplier)
order by listed.ref, invoice.registered_ms

-- name: count_cycles
-- What was paid in a month, and with how many days each fen. Locks: those rows; only this lane writes them.
insert into cycles as known (lane, provider, supplier, area, month, fen, weighted)
select
    $1,
    paid.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::numeric [], $7::text::numeric []
) as paid
on conflict (lane, provider, supplier, area, month) do update set
    fen = known.fen + excluded.fen,
    weighted = known.weighted + excluded.weighted
