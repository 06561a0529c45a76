-- name: statements
-- What is, or was, to be paid to suppliers, by hospital and name. Null narrows nothing. Locks: none.
select
    lane,
    provider,
    ref,
    supplier,
    area,
    body
from direct
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and ($6::boolean is null or is_open = $6)
    and kind = 'STATEMENT'
    and ($7::smallint is null or (lane, provider, ref) > ($7, $8::text, $9::text))
order by lane, provider, ref
limit $10::int

-- name: debts
-- What suppliers owe back. Null narrows nothing. Locks: none.
select
    lane,
    provider,
    ref,
    supplier,
    area,
    body
from direct
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and kind = 'DEBT'
    and is_open
order by provider, supplier, ref, lane

-- name: open
-- What is open of statements, by hospital. Null narrows nothing. Locks: none.
select
    provider,
    area,
    body
from direct
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and kind = 'STATEMENT'
    and is_open
order by area, provider

-- name: caps
-- Up to what suppliers are paid for hospitals, in the order in which it was said. Locks: none.
select body
from facts
where lane = any($1::smallint []) and type = 'direct.cap.set.v1'
order by lane, topic, "offset"

-- name: account
-- Where a supplier is paid to by an area ($2), in any lane in which something is paid to it. Locks: none.
select
    payee.lane,
    payee.body
from payees as payee
where payee.provider = $1 and payee.area in ('', $2)
order by payee.lane
limit 1
