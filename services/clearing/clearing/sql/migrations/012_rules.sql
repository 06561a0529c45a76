-- migrate:up

-- The day from which a provider's services in its area are paid at all; what forms it anew does not move it. Of those that
-- are known already, the day that is known. No policy speaks for the owner, so that force is lifted while it writes.
alter table providers add column first date;
alter table providers no force row level security;
update providers set first = since;
alter table providers force row level security;

-- No audit was over before its findings were decided until now.
alter table findings no force row level security;
update findings set body = body || '{"late": false}';
alter table findings force row level security;

-- Nothing is known of what came in cash before it was due; when something moved last is in the steps.
alter table prepayments no force row level security;
alter table prepayment_steps no force row level security;
update prepayments set body = body || jsonb_build_object('early', '{}'::jsonb, 'last_back', (
    select max(step.day)
    from prepayment_steps as step
    where step.lane = prepayments.lane and step.ref = prepayments.ref and step.what in ('OFFSET', 'RETURNED')
));
alter table prepayment_steps force row level security;
alter table prepayments force row level security;

-- migrate:down
alter table prepayments no force row level security;
update prepayments set body = body - 'early' - 'last_back';
alter table prepayments force row level security;
alter table findings no force row level security;
update findings set body = body - 'late';
alter table findings force row level security;
alter table providers drop column first;
