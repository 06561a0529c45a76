-- name: suppliers
-- What suppliers are called now, as any of some lanes knows it. Locks: none.
select distinct on (ref)
    ref,
    name
from suppliers
where lane = any($1::smallint []) and ref = any($2::text [])
order by ref asc, valid_from desc, lane asc
