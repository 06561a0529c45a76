-- name: recoveries
-- Recoveries in the order of the primary key. Null narrows nothing; what is open is owed still. Locks: none.
select
    lane,
    provider,
    ref,
    body
from recoveries
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and (is_open or $4::boolean is not true)
    and ($4::boolean is null or jsonb_path_exists(body -> 'due', '$.* ? (@ > 0)') = $4)
    and ($5::smallint is null or (lane, provider, ref) > ($5, $6::text, $7::text))
order by lane, provider, ref
limit $8::int
