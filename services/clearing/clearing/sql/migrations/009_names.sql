-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file ban-drop-constraint, ban-drop-default, constraint-missing-not-valid, adding-foreign-key-constraint
-- squawk-ignore-file adding-not-nullable-field, adding-serial-primary-key-field
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

-- A name belongs to the provider that chose it, or that it is about: two of one lane may have chosen the same.
-- Row security is off while rows are touched, for their owner has no scope; it is on again at the end.
alter table claims no force row level security;
alter table payments no force row level security;
alter table findings no force row level security;
alter table recoveries no force row level security;
alter table prepayments no force row level security;
alter table prepayment_steps no force row level security;
alter table prepayment_plans no force row level security;
alter table prepayment_approvals no force row level security;
alter table moves no force row level security;

-- A row is whose its body says: where two providers had one name, what the later one did was kept in the earlier one's.
update claims
set provider = body -> 'dimensions' ->> 'provider', area = body -> 'dimensions' ->> 'area'
where (provider, area) <> (body -> 'dimensions' ->> 'provider', body -> 'dimensions' ->> 'area');
update payments
set provider = body ->> 'provider', area = body ->> 'area'
where (provider, area) <> (body ->> 'provider', body ->> 'area');
update findings
set provider = body ->> 'provider'
where provider <> body ->> 'provider';
update recoveries
set provider = body -> 'dimensions' ->> 'provider'
where provider <> body -> 'dimensions' ->> 'provider';
update prepayments
set area = body -> 'dimensions' ->> 'area'
where area <> body -> 'dimensions' ->> 'area';

alter table recoveries add column area text;
update recoveries set area = body -> 'dimensions' ->> 'area';

alter table prepayment_steps add column provider text;
update prepayment_steps
set provider = prepayment.provider
from prepayments as prepayment
where prepayment_steps.lane = prepayment.lane and prepayment_steps.ref = prepayment.ref;

-- Whose that is what moved; nobody's is '': from the treasury, in suspense. What comes to the fiscal account and is
-- called like a case is a recovery, for what the treasury sends leaves it.
alter table moves add column provider text not null default '';
update moves
set provider = payment.provider
from payments as payment
where moves.lane = payment.lane and moves.ref = payment.payment_ref;
update moves
set provider = recovery.provider
from recoveries as recovery
where
    moves.lane = recovery.lane and moves.ref = recovery.ref and moves.bank_account = '1003' and moves.fen > 0
    and moves.bank_txn <> 'opening';
update moves
set provider = prepayment.provider
from prepayments as prepayment
where
    moves.lane = prepayment.lane and moves.ref = prepayment.ref and moves.bank_account = '1002' and moves.fen > 0
    and moves.bank_txn <> 'opening';

alter table prepayment_approvals add column area text;
update prepayment_approvals
set area = plan.area
from prepayment_plans as plan
where prepayment_approvals.plan_ref = plan.plan_ref;

alter table claims force row level security;
alter table payments force row level security;
alter table findings force row level security;
alter table recoveries force row level security;
alter table prepayments force row level security;
alter table prepayment_steps force row level security;
alter table prepayment_plans force row level security;
alter table prepayment_approvals force row level security;
alter table moves force row level security;

alter table recoveries alter column area set not null;
alter table prepayment_steps alter column provider set not null;
alter table prepayment_approvals alter column area set not null;
alter table moves alter column provider drop default;

-- The provider comes first in what a row is looked for by, so that these serve what indexes of providers served.
alter table claims drop constraint claims_pkey, add primary key (lane, provider, ref);
alter table payments drop constraint payments_pkey, add primary key (lane, provider, payment_ref);
alter table findings drop constraint findings_pkey, add primary key (lane, provider, batch, finding_ref);
alter table recoveries drop constraint recoveries_pkey, add primary key (lane, provider, ref);
alter table prepayments drop constraint prepayments_pkey, add primary key (lane, provider, ref);
alter table prepayment_steps drop constraint prepayment_steps_pkey, add primary key (lane, provider, ref, number);
alter table moves drop constraint moves_pkey,
add primary key (lane, area, fund, bank_account, bank_txn, provider, ref, value_date);
-- A plan's name belongs to its area.
alter table prepayment_approvals drop constraint prepayment_approvals_plan_ref_fkey,
drop constraint prepayment_approvals_pkey;
alter table prepayment_plans drop constraint prepayment_plans_pkey, add primary key (area, plan_ref);
alter table prepayment_approvals add primary key (area, plan_ref, staff_ref),
add foreign key (area, plan_ref) references prepayment_plans;
drop index claims_of_provider, claims_open, findings_on_settlement, recoveries_of_settlement, payments_of_payable;
drop index claims_by_due, payments_by_due, payments_to_pay, payments_approved;
create index claims_open on claims (lane, provider) where is_open;
create index claims_by_due on claims (due, lane, provider, ref);
create index findings_on_settlement on findings (lane, provider, settlement_ref) where settlement_ref is not null;
create index recoveries_of_settlement on recoveries (lane, provider, settlement_ref) where settlement_ref is not null;
create index payments_of_payable on payments (lane, provider, (body ->> 'payable_ref'));
create index payments_by_due on payments ((body ->> 'due'), lane, provider, payment_ref);
create index payments_to_pay on payments ((body ->> 'due'), lane, provider, payment_ref)
where status in ('ORDERED', 'APPROVED', 'SENT') or to_retry;
create index payments_approved on payments (lane, area, fund, due, payment_ref, provider) where status = 'APPROVED';

-- No row can become another provider's: what it is known by is never written again, and its body says the same.
revoke update on claims, payments, findings, recoveries, prepayments, moves from medfund_worker;
grant update (area, period_from, period_to, status, is_open, due, body) on claims to medfund_worker;
grant update (status, end_to_end_id, run_ref, to_retry, withheld, body) on payments to medfund_worker;
grant update (body) on findings to medfund_worker;
grant update (is_open, body) on recoveries to medfund_worker;
grant update (area, status, is_open, body) on prepayments to medfund_worker;
grant update (fen) on moves to medfund_worker;
alter table claims add constraint whose_it_is check (
    (body -> 'dimensions' ->> 'provider', body -> 'dimensions' ->> 'area', body ->> 'ref') = (provider, area, ref)
);
alter table payments add constraint whose_it_is check (
    (body ->> 'provider', body ->> 'area', body ->> 'payment_ref') = (provider, area, payment_ref)
);
alter table findings add constraint whose_it_is check (
    (body ->> 'provider', body ->> 'batch', body ->> 'finding_ref') = (provider, batch, finding_ref)
);
alter table recoveries add constraint whose_it_is check (
    (body -> 'dimensions' ->> 'provider', body -> 'dimensions' ->> 'area', body ->> 'ref') = (provider, area, ref)
);
alter table prepayments add constraint whose_it_is check (
    (body -> 'dimensions' ->> 'provider', body -> 'dimensions' ->> 'area', body ->> 'ref') = (provider, area, ref)
);

alter policy own_rows on recoveries using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);
alter policy own_rows on prepayment_steps using (
    exists (
        select from prepayments as own
        where
            own.lane = prepayment_steps.lane and own.provider = prepayment_steps.provider
            and own.ref = prepayment_steps.ref
    )
);
alter policy own_rows on prepayment_approvals using (
    (area, plan_ref) in (select area, plan_ref from prepayment_plans)
);

-- migrate:down
alter policy own_rows on prepayment_approvals using (plan_ref in (select plan_ref from prepayment_plans));
alter policy own_rows on prepayment_steps using (
    exists (select from prepayments as own where own.lane = prepayment_steps.lane and own.ref = prepayment_steps.ref)
);
alter policy own_rows on recoveries using (
    (
        (select '*' = any(scope('areas')))
        or body -> 'dimensions' ->> 'area' = any((select scope('areas'))::text [])
    )
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);
alter table prepayments drop constraint whose_it_is;
alter table recoveries drop constraint whose_it_is;
alter table findings drop constraint whose_it_is;
alter table payments drop constraint whose_it_is;
alter table claims drop constraint whose_it_is;
grant update on claims, payments, findings, recoveries, prepayments, moves to medfund_worker;
drop index claims_open, claims_by_due, findings_on_settlement, recoveries_of_settlement, payments_of_payable;
drop index payments_by_due, payments_to_pay, payments_approved;
create index payments_approved on payments (lane, area, fund, due, payment_ref) where status = 'APPROVED';
create index payments_to_pay on payments ((body ->> 'due'), lane, payment_ref)
where status in ('ORDERED', 'APPROVED', 'SENT') or to_retry;
create index payments_by_due on payments ((body ->> 'due'), lane, payment_ref);
create index claims_by_due on claims (due, lane, ref);
create index payments_of_payable on payments (lane, (body ->> 'payable_ref'));
create index recoveries_of_settlement on recoveries (lane, settlement_ref) where settlement_ref is not null;
create index findings_on_settlement on findings (lane, settlement_ref) where settlement_ref is not null;
create index claims_open on claims (lane) where is_open;
create index claims_of_provider on claims (lane, provider);
alter table prepayment_approvals drop constraint prepayment_approvals_area_plan_ref_fkey,
drop constraint prepayment_approvals_pkey;
alter table prepayment_plans drop constraint prepayment_plans_pkey, add primary key (plan_ref);
alter table prepayment_approvals drop column area, add primary key (plan_ref, staff_ref),
add foreign key (plan_ref) references prepayment_plans;
alter table moves drop constraint moves_pkey,
add primary key (lane, area, fund, bank_account, bank_txn, ref, value_date);
alter table moves drop column provider;
alter table prepayment_steps drop constraint prepayment_steps_pkey, add primary key (lane, ref, number);
alter table prepayment_steps drop column provider;
alter table prepayments drop constraint prepayments_pkey, add primary key (lane, ref);
alter table recoveries drop constraint recoveries_pkey, add primary key (lane, ref);
alter table recoveries drop column area;
alter table findings drop constraint findings_pkey, add primary key (lane, batch, finding_ref);
alter table payments drop constraint payments_pkey, add primary key (lane, payment_ref);
alter table claims drop constraint claims_pkey, add primary key (lane, ref);
