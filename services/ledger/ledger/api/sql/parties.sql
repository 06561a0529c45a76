-- name: names
-- What people know some providers by, as far as it was told. Locks: none.
select
    provider,
    name
from providers
where lane = any($1::smallint []) and provider = any($2::text []) and name is not null
