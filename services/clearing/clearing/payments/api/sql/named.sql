-- name: payments
-- Payments of a provider. Locks: none.
select
    lane,
    area,
    provider,
    payment_ref
from payments
where
    lane = any($1::smallint [])
    and ($2::text [] is null or area = any($2))
    and ($3::text [] is null or provider = any($3))
    and payment_ref = any($4::text [])

-- name: doubts
-- What the bank may pay still, or has paid again, of what some payments of a provider are to pay. Locks: none.
select distinct doubt.why
from payments as payment
inner join doubts as doubt
    on
        payment.lane = doubt.lane and payment.provider = doubt.provider and payment.fund = doubt.fund
        and doubt.payable_ref = payment.body ->> 'payable_ref'
where payment.lane = $1 and payment.provider = $2 and payment.payment_ref = any($3::text [])
order by doubt.why
