-- name: scope
-- What the present transaction may see. Locks: none.
select
    string_to_array(current_setting('medfund.areas', true), ',') as areas,
    string_to_array(current_setting('medfund.organisations', true), ',') as organisations,
    string_to_array(current_setting('medfund.sources', true), ',') as sources,
    current_setting('statement_timeout') as timeout

-- name: candidates
-- The statements of an area of which something may still be requested. Locks: none.
select
    lane,
    provider,
    supplier,
    ref
from statements
where area = $1 and is_pending
order by lane, provider, supplier, ref

-- name: registrations
-- Who else has registered the numbers of some invoices ($1-$4), in whichever lane: these and the others, by their key.
-- Locks: none.
with named as (
    select
        invoice.key,
        invoice.lane,
        invoice.provider,
        invoice.supplier,
        invoice.ref
    from unnest($1::smallint [], $2::text [], $3::text [], $4::text []) as named (lane, provider, supplier, ref)
    inner join invoices as invoice
        on
            named.lane = invoice.lane and named.provider = invoice.provider and named.supplier = invoice.supplier
            and named.ref = invoice.ref
),

twice as (
    select distinct named.key
    from named
    inner join invoices as other on named.key = other.key
    where
        other.issued_on is not null
        and (other.lane, other.provider, other.supplier, other.ref)
        <> (named.lane, named.provider, named.supplier, named.ref)
)

select
    invoice.key,
    invoice.registered_ms,
    invoice.lane,
    invoice.provider,
    invoice.supplier,
    invoice.ref,
    invoice.area,
    invoice.statement_ref,
    invoice.body
from twice
inner join invoices as invoice on twice.key = invoice.key
where invoice.issued_on is not null
order by invoice.key, invoice.registered_ms, invoice.lane, invoice.provider, invoice.supplier, invoice.ref

-- name: statements
-- Statements by whose they are and their names, in whichever lane. Locks: none.
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

-- name: agreed
-- Plans that people have agreed to and of which not everything was read yet, as far as anybody has looked. Locks: none.
select
    plan.area,
    plan.plan_ref,
    plan.body
from statement_plans as plan
where
    plan.is_open
    and (
        select count(distinct approval.role)
        from statement_approvals as approval
        where approval.area = plan.area and approval.plan_ref = plan.plan_ref
    ) = 2

-- name: close
-- All of a plan was read. Locks: its row.
update statement_plans
set is_open = false
where area = $1 and plan_ref = $2

-- name: keep
-- A plan as it was made; asking again for the same name changes nothing. Locks: none beyond the new row.
insert into statement_plans (plan_ref, area, hash, made_by, made_at, body)
values ($1, $2, $3, $4, $5, $6::text)
on conflict (area, plan_ref) do nothing

-- name: kept
-- A plan of an area that was made. Locks: none.
select
    plan_ref,
    area,
    hash,
    made_by,
    made_at,
    body
from statement_plans
where area = $1 and plan_ref = $2

-- name: approve
-- Somebody said yes to a plan; once for each person. Locks: the one row that every yes changes, so that of two plans that
-- people agree to at one moment, of whichever areas, the second is made again and knows of the first.
with turn as (
    update statement_turn
    set agreed = agreed + 1
    returning agreed
)

insert into statement_approvals (area, plan_ref, staff_ref, role, at)
select
    $1,
    $2,
    $3,
    $4,
    $5
from turn
on conflict (area, plan_ref, staff_ref) do nothing

-- name: approvals
-- Who said yes, in the order in which they did. Locks: none.
select
    staff_ref,
    role,
    at
from statement_approvals
where area = $1 and plan_ref = $2
order by at, staff_ref
