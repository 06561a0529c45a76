-- What is over, once more for each number from $1 to $2: of the month that was lived through, in each table. What is not
-- named here stays as it was, whatever columns there are.

-- name: claims
insert into clearing.claims
select (jsonb_populate_record(past, jsonb_build_object(
    'ref', 'OLD-' || n, 'due', due - n * 31, 'period_from', period_from - n * 31, 'period_to', period_to - n * 31,
    'body', body || jsonb_build_object('ref', 'OLD-' || n)
))).*
from clearing.claims as past, generate_series($1::int, $2::int) as n
where ref = 'B-PAST'

-- name: findings
insert into clearing.findings
select (jsonb_populate_record(past, jsonb_build_object(
    'batch', 'OLD-' || n, 'settlement_ref', encode(sha256((provider || n)::bytea), 'hex'),
    'body', body || jsonb_build_object('batch', 'OLD-' || n)
))).*
from clearing.findings as past, generate_series($1::int, $2::int) as n
where batch = 'B-PAST'

-- name: payments
insert into clearing.payments
select (jsonb_populate_record(past, jsonb_build_object(
    'payment_ref', 'OLD-' || n, 'due', due - n * 31, 'end_to_end_id', provider || n, 'run_ref', 'RUN-' || n,
    'approved_on', approved_on - n * 31,
    'body', body || jsonb_build_object('payment_ref', 'OLD-' || n, 'payable_ref', 'OLD-' || n, 'due', due - n * 31)
))).*
from clearing.payments as past, generate_series($1::int, $2::int) as n
where payment_ref = 'B-PAST/P1/310100'

-- name: settlements
insert into clearing.settlements
select (jsonb_populate_record(past, jsonb_build_object(
    'offset', -n * 10000 - row_number() over (partition by lane, n), 'service_date', service_date - n * 31,
    'ref', sha256((provider || service_date || n || k)::bytea)
))).*
from clearing.settlements as past, generate_series($1::int, $2::int) as n, generate_series(1, 8) as k
where service_date < '2026-02-01' and "offset" >= 0
order by n desc

-- name: recoveries
insert into clearing.recoveries
select (jsonb_populate_record(past, jsonb_build_object(
    'ref', 'OLD-' || n, 'body', body || jsonb_build_object('ref', 'OLD-' || n)
))).*
from clearing.recoveries as past, generate_series($1::int, $2::int) as n
where not is_open and ref like 'C-%'

-- name: direct
insert into clearing.direct
select (jsonb_populate_record(past, jsonb_build_object(
    'ref', 'OLD-' || n, 'is_open', false, 'to_order', false, 'is_owed', false,
    'body', body || jsonb_build_object('ref', 'OLD-' || n)
))).*
from clearing.direct as past, generate_series($1::int, $2::int) as n
where ref like '%/B-PAST/1';

-- name: journal
insert into ledger.journal
select (jsonb_populate_record(past, jsonb_build_object(
    'first_offset', first_offset + n * 1000000, 'last_offset', last_offset + n * 1000000
))).*
from ledger.journal as past, generate_series($1::int, $2::int) as n
where first_offset < 1000000 and counterpart = '' and credit_counterpart is null;

-- name: facts
insert into clearing.facts (lane, topic, "offset", type, provider, body)
select
    lane,
    topic,
    -n * 10000 - row_number() over (partition by lane, topic, n),
    type,
    provider,
    body || case type
        when 'audit.stage.completed.v1' then jsonb_build_object('batches', jsonb_build_array('OLD-' || n))
        when 'payment.run.opened.v1'
            then jsonb_build_object('run_ref', 'RUN-' || n, 'execute_on', (body ->> 'execute_on')::date - n)
        else jsonb_build_object('request_ref', 'Q-' || n, 'needed_on', (body ->> 'needed_on')::date - n)
    end
from clearing.facts, generate_series($1::int, $2::int) as n
where
    "offset" >= 0
    and type in ('payment.run.opened.v1', 'audit.stage.completed.v1', 'treasury.funds.requested.v1')

-- name: commands
insert into clearing.commands (id, at, subject, role, kind, lane, topic, provider, area, body)
select
    kind || n,
    now(),
    'anna',
    'finance',
    kind,
    null,
    topic,
    null,
    body ->> 'area',
    case kind
        when 'run' then body || jsonb_build_object('run_ref', 'RUN-' || n, 'execute_on', (body ->> 'execute_on')::date - n)
        else '{}'
    end
from clearing.facts, generate_series($1::int, $2::int) as n, unnest(array['run', 'hold', 'retry']) as kind
where "offset" >= 0 and type = 'payment.run.opened.v1'

-- name: bank_files
insert into clearing.bank_files
select 'RUN-' || n, '', 'OUT', 'pain.001', 'RUN-' || n, area, 1, 1, now(), 'HANDED_OVER', ''
from (select distinct area from clearing.providers) as known, generate_series($1::int, $2::int) as n

-- name: bank_statements
insert into clearing.bank_statements
select area, fund, account, date '2026-02-12' - n, 'S-' || n, 1, 1, 1
from
    (select distinct area from clearing.providers) as known,
    generate_series($1::int, $2::int) as n,
    unnest(array['310100', '390100']) as fund,
    unnest(array['1002', '1003']) as account

-- name: moves
insert into clearing.moves
select (jsonb_populate_record(past, jsonb_build_object(
    'ref', 'OLD-' || n, 'bank_txn', bank_txn || '-' || n, 'value_date', value_date - n, 'booked_on', booked_on - n
))).*
from clearing.moves as past, generate_series($1::int, $2::int) as n
where bank_txn like 'T-%' and ref not like 'OLD-%'

-- name: cash
insert into clearing.cash
select lane, area, fund, bank_account, sum(fen)
from clearing.moves
group by lane, area, fund, bank_account
on conflict (lane, area, fund, bank_account) do update set fen = excluded.fen

-- name: suspense
insert into clearing.suspense
select (jsonb_populate_record(past, jsonb_build_object(
    'item_ref', 'OLD-' || n,
    'body', body || jsonb_build_object('item_ref', 'OLD-' || n, 'value_date', (body ->> 'value_date')::date - n)
))).*
from clearing.suspense as past, generate_series($1::int, $2::int) as n
where not is_open and item_ref not like 'OLD-%'

-- name: quarantine
insert into clearing.quarantine
select
    lane, 'claims', -n, now(), 'bad_amount', '', '/clearing/commands', 'none-' || n, null, sha256(n::text::bytea), null,
    provider, null, null, '{}', '{}'
from (select lane, provider from clearing.providers limit 1) as known, generate_series($1::int, $2::int) as n

-- name: buckets
insert into ledger.buckets
select (jsonb_populate_record(past, jsonb_build_object(
    'value_date', value_date - n * 60, 'recorded_date', recorded_date - n * 60
))).*
from ledger.buckets as past, generate_series($1::int, $2::int) as n
where value_date between '2026-01-01' and '2026-02-28' and counterpart = ''

-- name: cash_of_the_books
insert into ledger.cash
select lane, area, fund, account, sum(debit - credit)
from ledger.buckets
where account in (select account from ledger.cash)
group by lane, area, fund, account
on conflict (lane, area, fund, account) do update set fen = excluded.fen

-- name: statements
insert into ledger.statements
select (jsonb_populate_record(past, jsonb_build_object('day', day - n, 'statement_ref', 'S-' || n))).*
from ledger.statements as past, generate_series($1::int, $2::int) as n
where statement_ref = 'S-PAST'

-- name: shifts
insert into ledger.shifts
select lane, area, fund, bank_account, day - n, day - n + 1, 1
from ledger.statements, generate_series($1::int, $2::int) as n
where statement_ref = 'S-PAST'
