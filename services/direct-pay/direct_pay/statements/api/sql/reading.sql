-- name: invoices
-- Some invoices by whose they are and their numbers. Locks: none.
select
    invoice.lane,
    invoice.provider,
    invoice.supplier,
    invoice.ref,
    invoice.body
from unnest($1::smallint [], $2::text [], $3::text [], $4::text []) as named (lane, provider, supplier, ref)
inner join invoices as invoice
    on
        named.lane = invoice.lane and named.provider = invoice.provider and named.supplier = invoice.supplier
        and named.ref = invoice.ref

-- name: statements
-- Some statements by whose they are and their names. Locks: none.
select
    statement.lane,
    statement.provider,
    statement.supplier,
    statement.ref,
    statement.body
from unnest($1::smallint [], $2::text [], $3::text [], $4::text []) as named (lane, provider, supplier, ref)
inner join statements as statement
    on
        named.lane = statement.lane and named.provider = statement.provider and named.supplier = statement.supplier
        and named.ref = statement.ref

-- name: several
-- Statements in the order in which they were submitted. Null narrows nothing. Locks: none.
select
    lane,
    provider,
    supplier,
    ref,
    submitted_on,
    body
from statements
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and ($6::date is null or period = $6)
    and ($7::boolean is null or (mode <> '') = $7)
    and ($8::boolean is null or in_dispute = $8)
    and ($9::boolean is null or (is_pending or pay_by is not null) = $9)
    and submitted_on is not null
    and (
        $10::date is null
        or (submitted_on, lane, provider, supplier, ref) > ($10, $11::smallint, $12::text, $13::text, $14::text)
    )
order by submitted_on, lane, provider, supplier, ref
limit $15::int

-- name: due
-- Statements of which something is to be paid, by the day of the first of it. Null narrows nothing. Locks: none.
select
    lane,
    provider,
    supplier,
    ref,
    pay_by,
    body
from statements
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and pay_by is not null
    and ($6::date is null or pay_by < $6)
    and ($7::date is null or pay_by > $7)
    and (
        $8::date is null
        or (pay_by, lane, provider, supplier, ref) > ($8, $9::smallint, $10::text, $11::text, $12::text)
    )
order by pay_by, lane, provider, supplier, ref
limit $13::int

-- name: invoiced
-- Blue invoices in the order of their days. Null narrows nothing. Locks: none.
select
    lane,
    provider,
    supplier,
    ref,
    issued_on,
    statement_ref,
    body
from invoices
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and ($6::text is null or ref = $6)
    and ($7::date is null or issued_on >= $7)
    and ($8::date is null or issued_on <= $8)
    and ($9::boolean is null or (statement_ref <> '') = $9)
    and issued_on is not null and red_of = ''
    and (
        $10::date is null
        or (issued_on, lane, provider, supplier, ref) > ($10, $11::smallint, $12::text, $13::text, $14::text)
    )
order by issued_on, lane, provider, supplier, ref
limit $15::int

-- name: cycle
-- What was paid in some months and how long it took, money-weighted, by what is asked for ($8). Null narrows nothing.
-- Locks: none.
select
    case $8::text when 'area' then area when 'provider' then provider when 'supplier' then supplier else month end as whose,
    sum(fen) as fen,
    sum(weighted) as weighted
from cycles
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and ($4::text [] is null or supplier = any($4))
    and ($5::text is null or supplier = $5)
    and ($6::text is null or month >= $6)
    and ($7::text is null or month <= $7)
group by whose
having sum(fen) <> 0
order by whose
