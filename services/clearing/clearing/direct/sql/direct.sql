-- name: direct
-- What a batch of events can touch: what it names ($2, $3), and what the suppliers of that owe; what is open of its
-- providers ($4), all that is open when a day is opened ($5), for whatever is paid then pays it off, and what is open of
-- those whose suppliers are paid by another payee ($6). Each by an index of its own. The lines of a statement are long:
-- they are read of what is named, and of what may be paid. Locks: none.
with provider as (
    select unnest($4::text []) as provider
    union distinct
    select provider
    from direct
    where lane = $1 and is_open and $5::boolean
    union distinct
    select provider
    from direct
    where lane = $1 and is_open and supplier = any($6::text [])
),

touched as (
    select
        provider,
        ref,
        true as is_named
    from unnest($2::text [], $3::text []) as named (provider, ref)
    union all
    select
        one.provider,
        one.supplier,
        false
    from unnest($2::text [], $3::text []) as named (provider, ref)
    inner join direct as one on one.lane = $1 and named.provider = one.provider and named.ref = one.ref
    union all
    select
        one.provider,
        one.ref,
        false
    from provider
    inner join direct as one on one.lane = $1 and provider.provider = one.provider
    where one.is_open
)

select
    one.kind,
    one.body,
    case when one.is_owed or bool_or(touched.is_named) then one.lines end as lines
from touched
inner join direct as one on one.lane = $1 and touched.provider = one.provider and touched.ref = one.ref
group by one.lane, one.provider, one.ref

-- name: save_direct
-- What decisions changed; lines that they did not change stay. Locks: those rows; only this lane writes them.
insert into direct as kept (lane, provider, ref, area, supplier, kind, is_open, to_order, is_owed, body, lines)
select
    $1,
    changed.*
from unnest(
    $2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::text [],
    $7::text::boolean [], $8::text::boolean [], $9::text::boolean [], $10::text::jsonb [], $11::text::jsonb []
) as changed
on conflict (lane, provider, ref) do update set
    is_open = excluded.is_open,
    to_order = excluded.to_order,
    is_owed = excluded.is_owed,
    body = excluded.body,
    lines = coalesce(excluded.lines, kept.lines)
