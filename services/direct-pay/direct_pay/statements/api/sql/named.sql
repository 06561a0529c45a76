-- name: statement
-- A statement by whose it is and its name. Locks: none.
select
    lane,
    area,
    provider,
    supplier,
    ref,
    body
from statements
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and provider = $5 and supplier = $6 and ref = $7
