-- name: arrears
-- Those that are named ($2-$4). Locks: none.
select
    one.provider,
    one.supplier,
    one.ref,
    one.body
from unnest($2::text [], $3::text [], $4::text []) as named (provider, supplier, ref)
inner join arrears as one
    on one.lane = $1 and named.provider = one.provider and named.supplier = one.supplier and named.ref = one.ref

-- name: save_arrears
-- Those of which something was said or decided. Locks: those rows; only this lane writes them.
insert into arrears (lane, provider, supplier, ref, area, since, is_open, body)
select
    $1,
    said.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::date [], $7::text::boolean [],
    $8::text::text []
) as said
on conflict (lane, provider, supplier, ref) do update set
    area = excluded.area,
    since = excluded.since,
    is_open = excluded.is_open,
    body = excluded.body
