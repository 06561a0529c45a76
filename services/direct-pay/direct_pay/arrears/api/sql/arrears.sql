-- name: several
-- The register, the oldest first; what was cleared before anybody registered it is not in it. Null narrows nothing.
-- Locks: none.
select
    lane,
    provider,
    supplier,
    ref,
    since,
    body
from arrears
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and ($6::boolean is null or is_open = $6)
    and since is not null
    and (
        $7::date is null
        or (since, lane, provider, supplier, ref) > ($7, $8::smallint, $9::text, $10::text, $11::text)
    )
order by since, lane, provider, supplier, ref
limit $12::int
