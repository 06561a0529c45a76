-- migrate:up

-- The services stand still while they are migrated, and a migration is one transaction: nobody is kept waiting.
-- squawk-ignore-file ban-drop-constraint, ban-drop-default, constraint-missing-not-valid, adding-not-nullable-field
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

-- Whom a payment pays, and by which policy, is written when it is ordered. A row stays the provider's whose claim, recovery or
-- prepayment is paid, whoever the payee is: that provider and its area see it, and a payee that is another one does not.
-- Who is paid was the provider so far; the policy and the area are those of what is paid. Row security is off while rows are
-- touched, for their owner has no scope; it is on again at the end.
alter table payments add column payee text, add column policy_ref text;
alter table payments no force row level security;
alter table claims no force row level security;
alter table recoveries no force row level security;
alter table prepayments no force row level security;
update payments
set
    payee = payments.provider,
    policy_ref = paid.policy_ref,
    area = paid.area,
    due = (payments.body ->> 'due')::date,
    body = payments.body
    || jsonb_build_object('payee', payments.provider, 'policy_ref', paid.policy_ref, 'area', paid.area)
from (
    select
        lane,
        provider,
        ref,
        area,
        body ->> 'policy_ref' as policy_ref
    from claims
    union all
    select
        lane,
        provider,
        ref,
        area,
        body ->> 'policy_ref'
    from recoveries
    union all
    select
        lane,
        provider,
        ref,
        area,
        body ->> 'policy_ref'
    from prepayments
) as paid
where
    paid.lane = payments.lane and paid.provider = payments.provider and paid.ref = payments.body ->> 'payable_ref';
alter table prepayments force row level security;
alter table recoveries force row level security;
alter table claims force row level security;
alter table payments force row level security;
alter table payments alter column payee set not null, alter column policy_ref set not null, alter column due set not null,
alter column area drop default, alter column fen drop default;

-- Due days are compared as days, and what one person approved on a day by whom it pays.
drop index payments_by_due, payments_to_pay, payments_approved_on;
create index payments_by_due on payments (due, lane, provider, payment_ref);
create index payments_to_pay on payments (due, lane, provider, payment_ref)
where status in ('ORDERED', 'APPROVED', 'SENT') or to_retry;
create index payments_approved_on on payments (lane, payee, approved_on);
alter table payments drop constraint whose_it_is, add constraint whose_it_is check (
    (body ->> 'provider', body ->> 'area', body ->> 'payment_ref', body ->> 'payee', body ->> 'policy_ref')
    = (provider, area, payment_ref, payee, policy_ref)
);

-- Where a payee is paid to, that is of no area and no provider, is seen with the payments that it is paid by.
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

-- migrate:down
alter policy own_rows on payees using (
    ((select '*' = any(scope('areas'))) or (lane, provider) in (select lane, provider from providers))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []))
);
alter table payments drop constraint whose_it_is;
drop index payments_by_due, payments_to_pay, payments_approved_on;
create index payments_approved_on on payments (lane, provider, approved_on) where approved_on is not null;
create index payments_to_pay on payments ((body ->> 'due'), lane, provider, payment_ref)
where status in ('ORDERED', 'APPROVED', 'SENT') or to_retry;
create index payments_by_due on payments ((body ->> 'due'), lane, provider, payment_ref);
alter table payments alter column area set default '', alter column fen set default 0, alter column due drop not null;
alter table payments no force row level security;
update payments set body = body - 'payee' - 'policy_ref';
alter table payments force row level security;
alter table payments drop column policy_ref, drop column payee,
add constraint whose_it_is check (
    (body ->> 'provider', body ->> 'area', body ->> 'payment_ref') = (provider, area, payment_ref)
);
