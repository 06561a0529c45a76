-- name: payments
-- Payments in the order of `payments_by_due`. The area is that of what is paid. Null narrows nothing. Locks: none.
select
    payment.lane,
    payment.payment_ref,
    payment.body,
    payment.body ->> 'due' as due,
    coalesce(claim.area, recovery.body -> 'dimensions' ->> 'area') as area
from payments as payment
left join claims as claim on payment.lane = claim.lane and claim.ref = payment.body ->> 'payable_ref'
left join recoveries as recovery on payment.lane = recovery.lane and recovery.ref = payment.body ->> 'payable_ref'
where
    payment.lane = any($1::smallint [])
    and ($2::text [] is null or coalesce(claim.area, recovery.body -> 'dimensions' ->> 'area') = any($2))
    and ($3::text [] is null or payment.provider = any($3))
    and ($4::text is null or payment.status = $4)
    and ($5::text is null or payment.body ->> 'payable_ref' = $5)
    and ($6::text is null or payment.body ->> 'due' < $6)
    and ($7::text is null or payment.body ->> 'due' > $7)
    and (
        $8::text is null
        or (payment.body ->> 'due', payment.lane, payment.payment_ref) > ($8, $9::smallint, $10::text)
    )
order by payment.body ->> 'due', payment.lane, payment.payment_ref
limit $11::int

-- name: of_payables
-- The payments of some payables of a provider. Locks: none.
select body
from payments
where lane = $1 and provider = $2 and body ->> 'payable_ref' = any($3::text [])
order by payment_ref
