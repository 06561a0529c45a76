-- name: payments
-- The payments that a batch of events names. Locks: none.
select body
from payments
where lane = $1 and payment_ref = any($2::text [])

-- name: save_payments
-- Payments that decisions changed. Locks: those rows; only this lane writes them.
insert into payments (lane, payment_ref, provider, status, body)
select
    $1,
    changed.*
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::jsonb []) as changed
on conflict (lane, payment_ref) do update set status = excluded.status, body = excluded.body
