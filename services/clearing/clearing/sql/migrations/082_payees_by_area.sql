-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file ban-drop-constraint, adding-not-nullable-field, disallowed-unique-constraint
-- squawk-ignore-file constraint-missing-not-valid, adding-serial-primary-key-field

-- Where a supplier is paid to is said by each area for itself; a provider's account is of no area. A supplier's account that
-- is known already is that of the area in which the supplier is owed something. Row security is off while rows are touched,
-- for their owner has no scope; it is on again at the end.
alter table payees add column area text not null default '';
alter table payees drop constraint payees_pkey, add primary key (lane, provider, area);
alter table payees no force row level security;
alter table direct no force row level security;
update payees set area = owed.area
from (
    select
        lane,
        supplier,
        min(area) as area
    from direct
    group by lane, supplier
) as owed
where owed.lane = payees.lane and owed.supplier = payees.provider;
alter table direct force row level security;
alter table payees force row level security;
alter policy own_rows on payees using (
    (
        ((select '*' = any(scope('areas'))) or (lane, provider) in (select lane, provider from providers))
        and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
    )
    or exists (
        select from payments as paid
        where
            paid.lane = payees.lane and paid.payee = payees.provider and paid.payee <> paid.provider
            and payees.area in ('', paid.area)
    )
);

-- migrate:down
alter policy own_rows on payees using (
    (
        ((select '*' = any(scope('areas'))) or (lane, provider) in (select lane, provider from providers))
        and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
    )
    or exists (
        select from payments as paid
        where paid.lane = payees.lane and paid.payee = payees.provider and paid.payee <> paid.provider
    )
);
alter table payees no force row level security;
delete from payees as other
using payees as first
where other.lane = first.lane and other.provider = first.provider and other.area > first.area;
alter table payees force row level security;
alter table payees drop constraint payees_pkey, add primary key (lane, provider);
alter table payees drop column area;
