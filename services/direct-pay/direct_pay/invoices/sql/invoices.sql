-- name: invoices
-- Those that are named ($2-$4), and, when a day is opened ($5), those that red letters wait for. Locks: none.
select
    invoice.provider,
    invoice.supplier,
    invoice.ref,
    invoice.body
from unnest($2::text [], $3::text [], $4::text []) as named (provider, supplier, ref)
inner join invoices as invoice
    on
        invoice.lane = $1 and named.provider = invoice.provider and named.supplier = invoice.supplier
        and named.ref = invoice.ref
union all
select
    provider,
    supplier,
    ref,
    body
from invoices
where lane = $1 and waits and $5::boolean

-- name: save_invoices
-- Invoices of which something was said or decided. Locks: those rows; only this lane writes them.
insert into invoices (
    lane, provider, supplier, ref, area, key, issued_on, registered_ms, fen, red_of, statement_ref, waits, body
)
select
    $1,
    said.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::text [], $7::text::date [],
    $8::text::bigint [], $9::text::bigint [], $10::text::text [], $11::text::text [], $12::text::boolean [], $13::text::text []
) as said
on conflict (lane, provider, supplier, ref) do update set
    area = excluded.area,
    issued_on = excluded.issued_on,
    registered_ms = excluded.registered_ms,
    fen = excluded.fen,
    red_of = excluded.red_of,
    statement_ref = excluded.statement_ref,
    waits = excluded.waits,
    body = excluded.body
