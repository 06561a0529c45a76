-- name: recoveries
-- Recoveries in the order of the primary key. Null narrows nothing; what is open is owed still. Locks: none.
select
    lane,
    ref,
    body
from recoveries
where
    lane = any($1::smallint [])
    and ($2::text [] is null or body -> 'dimensions' ->> 'area' = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::boolean is null or jsonb_path_exists(body -> 'due', '$.* ? (@ > 0)') = $4)
    and ($5::smallint is null or (lane, ref) > ($5, $6::text))
order by lane, ref
limit $7::int
