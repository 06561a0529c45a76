-- migrate:up

-- Sums have no limit: what many hospitals are owed, what a line of the bank moved in all, what a file of the bank comes to.
-- squawk-ignore changing-column-type
alter table moves alter column fen type numeric;
-- squawk-ignore changing-column-type
alter table bank_files alter column fen type numeric;
-- squawk-ignore ban-drop-view
drop view open_items;
create view open_items with (security_invoker = true) as
with owed as (
    select
        lane,
        provider,
        body
    from claims
    union all
    select
        lane,
        provider,
        body
    from recoveries
),

held as (
    select
        owed.lane,
        owed.provider,
        amounts.fund,
        amounts.fen
    from owed, jsonb_each(owed.body -> 'held') as hold (name, by_fund), jsonb_each_text(hold.by_fund) as amounts (fund, fen)
),

items as (
    select
        owed.lane,
        owed.provider,
        kept.account,
        amounts.fund,
        kept.side * amounts.fen::numeric as fen
    from
        owed,
        (
            values ('1104', 'advance', 1), ('1107', 'due', 1), ('2101', 'in_review', -1), ('2102', 'payable', -1),
            ('2103', 'bond', -1)
        ) as kept (account, member, side),
        jsonb_each_text(
            case when jsonb_typeof(owed.body -> kept.member) = 'object' then owed.body -> kept.member else '{}' end
        ) as amounts (fund, fen)
    union all
    select
        lane,
        provider,
        '2108',
        fund,
        -fen::numeric
    from held
    union all
    select
        prepayments.lane,
        prepayments.provider,
        case prepayments.kind when 'BULK' then '1102' else '1101' end,
        amounts.fund,
        amounts.fen::numeric
    from prepayments, jsonb_each_text(prepayments.body -> 'outstanding') as amounts (fund, fen)
)

select
    lane,
    provider,
    account,
    fund,
    sum(fen) as fen
from items
group by lane, provider, account, fund
having sum(fen) <> 0;
grant select on open_items to medfund_reader;

-- Of claims that were approved together the first one is owed what the P1 of another one was for: whoever has that paid again
-- has to know what the bank may do still.
create or replace view doubts with (security_invoker = true) as
with doubted as not materialized (
    select
        lane,
        provider,
        fund,
        body ->> 'payable_ref' as payable_ref,
        payment_ref,
        payment_ref || ': ' || (body ->> 'doubt') as why
    from payments
    where status in ('SENT', 'FAILED') and body ? 'doubt'
    union all
    select
        item.lane,
        payment.provider,
        payment.fund,
        payment.body ->> 'payable_ref',
        payment.payment_ref,
        payment.payment_ref || ': ' || item.item_ref || ' ' || (item.body ->> 'reason')
    from suspense as item
    inner join payments as payment
        on
            item.lane = payment.lane and item.area = payment.area
            and payment.payment_ref = item.body ->> 'payment_ref'
    where item.is_open and item.body ->> 'direction' = 'OUT'
)

select
    lane,
    provider,
    fund,
    payable_ref,
    payment_ref,
    why
from doubted
union distinct
select
    doubted.lane,
    doubted.provider,
    doubted.fund,
    claim.body ->> 'lead',
    doubted.payment_ref,
    doubted.why
from doubted
inner join claims as claim
    on doubted.lane = claim.lane and doubted.provider = claim.provider and doubted.payable_ref = claim.ref
where claim.body ->> 'lead' <> '';

-- What was recalled matters until it is cleared.
alter table prepayments no force row level security;
update prepayments set is_open = true where not is_open and status = 'RECALLED';
alter table prepayments force row level security;

-- migrate:down
create or replace view doubts with (security_invoker = true) as
select
    lane,
    provider,
    fund,
    body ->> 'payable_ref' as payable_ref,
    payment_ref,
    payment_ref || ': ' || (body ->> 'doubt') as why
from payments
where status in ('SENT', 'FAILED') and body ? 'doubt'
union all
select
    item.lane,
    payment.provider,
    payment.fund,
    payment.body ->> 'payable_ref',
    payment.payment_ref,
    payment.payment_ref || ': ' || item.item_ref || ' ' || (item.body ->> 'reason')
from suspense as item
inner join payments as payment
    on
        item.lane = payment.lane and item.area = payment.area
        and payment.payment_ref = item.body ->> 'payment_ref'
where item.is_open and item.body ->> 'direction' = 'OUT';
drop view open_items;
create view open_items with (security_invoker = true) as
with owed as (
    select
        lane,
        provider,
        body
    from claims
    union all
    select
        lane,
        provider,
        body
    from recoveries
),

held as (
    select
        owed.lane,
        owed.provider,
        amounts.fund,
        amounts.fen
    from owed, jsonb_each(owed.body -> 'held') as hold (name, by_fund), jsonb_each_text(hold.by_fund) as amounts (fund, fen)
),

items as (
    select
        owed.lane,
        owed.provider,
        kept.account,
        amounts.fund,
        kept.side * amounts.fen::bigint as fen
    from
        owed,
        (
            values ('1104', 'advance', 1), ('1107', 'due', 1), ('2101', 'in_review', -1), ('2102', 'payable', -1),
            ('2103', 'bond', -1)
        ) as kept (account, member, side),
        jsonb_each_text(
            case when jsonb_typeof(owed.body -> kept.member) = 'object' then owed.body -> kept.member else '{}' end
        ) as amounts (fund, fen)
    union all
    select
        lane,
        provider,
        '2108',
        fund,
        -fen::bigint
    from held
    union all
    select
        prepayments.lane,
        prepayments.provider,
        case prepayments.kind when 'BULK' then '1102' else '1101' end,
        amounts.fund,
        amounts.fen::bigint
    from prepayments, jsonb_each_text(prepayments.body -> 'outstanding') as amounts (fund, fen)
)

select
    lane,
    provider,
    account,
    fund,
    sum(fen)::bigint as fen
from items
group by lane, provider, account, fund
having sum(fen) <> 0;
grant select on open_items to medfund_reader;
-- squawk-ignore changing-column-type
alter table bank_files alter column fen type bigint;
-- squawk-ignore changing-column-type
alter table moves alter column fen type bigint;
