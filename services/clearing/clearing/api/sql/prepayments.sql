-- name: prepayments
-- Prepayments by name. Null narrows nothing. Locks: none.
select
    lane,
    ref,
    body
from prepayments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::smallint is null or year = $4)
    and ($5::text is null or fund = $5)
    and ($6::text is null or kind = $6)
    and ($7::text is null or status = $7)
    and ($8::boolean is null or exists (
        select from jsonb_each_text(body -> 'outstanding') as part (fund, fen)
        where part.fen::bigint <> 0
    ) = $8)
    and ($9::text is null or (ref, lane) > ($9, $10::smallint))
order by ref, lane
limit $11::int

-- name: one
-- A prepayment by its name. Locks: none.
select
    lane,
    area,
    provider
from prepayments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ref = $4

-- name: outstanding
-- The prepayments of which something is out. Locks: none.
select body
from prepayments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text is null or fund = $4)
    and is_open
    and exists (
        select from jsonb_each_text(body -> 'outstanding') as part (fund, fen)
        where part.fen::bigint > 0
    )
