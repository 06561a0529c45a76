-- name: cash
-- What is in the expenditure accounts of an area's funds by the books. Locks: none.
select
    fund,
    sum(fen) as fen
from cash
where area = any($1::text []) and bank_account = $2
group by fund

-- name: on_their_way
-- What was sent to the bank and is not answered yet, by fund. Locks: none.
select
    payment.fund,
    sum(payment.fen - coalesce(paid.fen, 0)) as fen
from payments as payment
left join lateral (
    select sum(fen::bigint) as fen from jsonb_each_text(payment.body -> 'settled') as part (fund, fen)
) as paid on true
where payment.area = any($1::text []) and payment.fund is not null and payment.status = 'SENT'
group by payment.fund

-- name: unsent
-- What is ordered and not sent, and what failed or came back and is owed still, by fund and due day. Locks: none.
select
    part.fund,
    payment.due,
    sum(part.fen::bigint) as fen
from payments as payment
cross join lateral jsonb_each_text(
    case when payment.status in ('ORDERED', 'APPROVED') then payment.body -> 'amounts' else payment.body -> 'to_retry' end
) as part (fund, fen)
where
    payment.area = any($1::text [])
    and (payment.status in ('ORDERED', 'APPROVED') or payment.to_retry)
    and payment.due <= $2
group by part.fund, payment.due

-- name: in_review
-- Claims that are not approved and due up to a day, or of which a part is to be paid at once, as far as an estimate needs
-- them. Locks: none.
select
    due,
    (body ->> 'submitted_on')::date as submitted_on,
    body ->> 'policy_ref' as policy_ref,
    body -> 'claimed' as claimed,
    body -> 'in_review' as in_review,
    nullif(body -> 'p1', 'null') as p1,
    body ->> 'lead' <> '' as approved_in_part
from claims
where
    area = any($1::text []) and status = 'IN_REVIEW' and is_open
    and (due <= $2 or jsonb_typeof(body -> 'p1') is distinct from 'object')

-- name: a_lane
-- A lane that knows the area, for the working days as it knows them. Locks: none.
select lane
from providers
where area = any($1::text [])
limit 1
