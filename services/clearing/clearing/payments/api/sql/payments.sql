-- name: payments
-- Payments in the order of `payments_by_due`; of a work queue in that of `payments_to_pay`, which holds nothing that is
-- paid. Null narrows nothing. A queue is judged on the day that the payment's lane has
-- opened last, `overdue` on $10. Locks: none.
select
    payment.lane,
    payment.provider,
    payment.payment_ref,
    payment.body,
    payment.due::text as due,
    payee.body as account,
    day.opened,
    may_pay.why as doubt
from payments as payment
left join payees as payee
    on payment.lane = payee.lane and payment.payee = payee.provider and payee.area in ('', payment.area)
left join days as day on payment.lane = day.lane
cross join lateral (
    select
        (payment.body ->> 'expires_on')::date < day.opened
        or payment.body ->> 'account' is distinct from payee.body ->> 'ref' as ended
) as approval
left join lateral (
    select string_agg(doubt.why, '; ' order by doubt.why) as why
    from doubts as doubt
    where
        doubt.lane = payment.lane and doubt.provider = payment.provider and doubt.fund = payment.fund
        and doubt.payable_ref = payment.body ->> 'payable_ref'
        and payment.status in ('ORDERED', 'APPROVED', 'SENT', 'FAILED')
) as may_pay on true
where
    payment.lane = any($1::smallint [])
    and ($2::text [] is null or payment.area = any($2))
    and ($3::text [] is null or payment.provider = any($3))
    and ($4::text is null or payment.status = $4)
    and ($5::text is null or payment.body ->> 'payable_ref' = $5)
    and ($6::text is null or payment.due < $6::text::date)
    and ($7::text is null or payment.due > $7::text::date)
    and ($8::text is null or payment.fund = $8)
    and ($9::text is null or payment.run_ref = $9)
    and ($12::boolean is null or (payment.body ->> 'confirmed_on' is not null) = $12)
    and case $11::text
        when 'to_approve' then payment.status = 'ORDERED' or (payment.status = 'APPROVED' and approval.ended)
        when 'approved' then payment.status = 'APPROVED' and not coalesce(approval.ended, false)
        when 'sent' then payment.status = 'SENT'
        when 'overdue' then
            (payment.status in ('ORDERED', 'APPROVED', 'SENT') or payment.to_retry)
            and coalesce((payment.body ->> 'latest')::date, payment.due) < $10::text::date
        when 'returned' then payment.to_retry
        when 'doubted' then payment.status in ('SENT', 'FAILED') and payment.body ? 'doubt'
        else true
    end
    and (
        $13::text is null
        or (payment.due, payment.lane, payment.provider, payment.payment_ref)
        > ($13::text::date, $14::smallint, $15::text, $16::text)
    )
order by payment.due, payment.lane, payment.provider, payment.payment_ref
limit $17::int

-- name: of_payables
-- The payments of some payables of a provider. Locks: none.
select body
from payments
where lane = $1 and provider = $2 and body ->> 'payable_ref' = any($3::text [])
order by payment_ref
