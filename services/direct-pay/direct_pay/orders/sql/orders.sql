-- name: traces
-- The codes ($2) that came before, and where first. Locks: none.
select
    encode(seen.trace, 'hex') as trace,
    seen.body
from unnest($2::text []) as named (trace)
inner join traces as seen on seen.lane = $1 and decode(named.trace, 'hex') = seen.trace

-- name: save_traces
-- Codes of a batch; of one that came before, how often since. Locks: those rows; only this lane writes them.
insert into traces (lane, trace, provider, supplier, body)
select
    $1,
    decode(came.trace, 'hex'),
    came.provider,
    came.supplier,
    came.body
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::text []) as came (
    trace, provider, supplier, body
)
on conflict (lane, trace) do update set body = excluded.body

-- name: orders
-- Those that are named ($2-$4). Locks: none.
select
    placed.provider,
    placed.supplier,
    placed.ref,
    placed.body
from unnest($2::text [], $3::text [], $4::text []) as named (provider, supplier, ref)
inner join orders as placed
    on placed.lane = $1 and named.provider = placed.provider and named.supplier = placed.supplier and named.ref = placed.ref

-- name: save_orders
-- Orders of which something was said. Locks: those rows; only this lane writes them.
insert into orders (lane, provider, supplier, ref, area, placed_on, is_open, body)
select
    $1,
    said.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::date [], $7::text::boolean [],
    $8::text::text []
) as said
on conflict (lane, provider, supplier, ref) do update set
    area = excluded.area,
    placed_on = excluded.placed_on,
    is_open = excluded.is_open,
    body = excluded.body
