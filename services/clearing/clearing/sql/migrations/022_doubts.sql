-- migrate:up

-- Two hospitals of a lane may call payments alike: an item is about that of the one whom the bank named.
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
            and payment.provider = coalesce(item.body ->> 'payment_of', payment.provider)
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

-- migrate:down
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
