-- name: see_everything
-- First in the proof's one transaction: every organisation's rows, and as long as it takes. It is idle while stretches of
-- the log are read and decoded, and holds no lock that anybody waits for. Locks: none.
select
    set_config('medfund.areas', '*', true),
    set_config('medfund.organisations', '*', true),
    set_config('medfund.sources', '*', true),
    set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true)

-- name: count_lanes
-- How many lanes the books were set up with; none before the first worker. Locks: none.
select count(*)::int
from lanes

-- name: count_records
-- The length of the proof, for a progress bar. Locks: none.
select coalesce(sum(next_offset - start_offset), 0)
from positions
where lane = any($1::smallint [])

-- name: positions
-- Where each lane stands and how the records it passed ended. Locks: none.
select *
from positions
where lane = $1
order by topic

-- name: batches
-- The order log, row by row. Locks: none.
select first_batch, topics, first_offsets, cuts
from batches
where lane = $1 and first_batch > $2
order by first_batch
limit 1

-- name: identities
-- Where the given events were accepted. Locks: none.
select identity, digest, topic, "offset"
from identities
where lane = $1 and identity = any($2::bytea [])

-- name: count_identities
-- Every accepted event of a lane; must equal what its positions count. Locks: none.
select count(*)
from identities
where lane = $1

-- name: repeats
-- Offsets of a stretch of the log that were further deliveries, and of what. Locks: none.
select "offset", identity
from repeats
where lane = $1 and topic = $2 and "offset" >= $3 and "offset" < $4

-- name: quarantined
-- Offsets of a stretch of the log that were refused, and what. Locks: none.
select "offset", identity
from quarantine
where lane = $1 and topic = $2 and "offset" >= $3 and "offset" < $4

-- name: lines
-- The journal lines that begin in a stretch of the log. Locks: none.
select
    topic, first_offset, ordinal, last_offset, events, type, book, area, fund, debit, credit, amount, party,
    counterpart, insutype, clr_type, benefit_year, service_date, value_date, recorded_date, credit_counterpart
from journal
where lane = $1 and topic = $2 and first_offset >= $3 and first_offset < $4
order by first_offset, ordinal

-- name: count_lines
-- Every line of a lane: none may lie outside the stretches that were proved. Locks: none.
select count(*)
from journal
where lane = $1

-- name: buckets_against_journal
-- The day buckets that are not the sum of their lines. Locks: none; scans one lane.
with turnovers as (
    select party, debit as account, book, fund, area, counterpart, value_date, recorded_date, amount as debit, 0 as credit
    from journal
    where lane = $1
    union all
    select
        party, credit, book, fund, area, coalesce(credit_counterpart, counterpart), value_date, recorded_date, 0,
        amount
    from journal
    where lane = $1
),

sums as (
    select
        party, account, book, fund, area, counterpart, value_date, recorded_date,
        sum(debit) as debit,
        sum(credit) as credit
    from turnovers
    group by party, account, book, fund, area, counterpart, value_date, recorded_date
),

kept as (
    select party, account, book, fund, area, counterpart, value_date, recorded_date, debit, credit
    from buckets
    where lane = $1
)

select
    party, account, book, fund, area, counterpart, value_date, recorded_date,
    kept.debit as kept_debit,
    kept.credit as kept_credit,
    sums.debit as line_debit,
    sums.credit as line_credit
from kept
full join sums using (party, account, book, fund, area, counterpart, value_date, recorded_date)
where kept.debit is distinct from sums.debit or kept.credit is distinct from sums.credit
order by party, account, book, fund, area, counterpart, value_date, recorded_date
limit $2

-- name: totals
-- What the proof covers, in money. Locks: none.
select
    book,
    fund,
    count(*) as lines,
    sum(amount) as amount
from journal
where lane = $1
group by book, fund

-- name: cash_that_differs
-- Days on which a bank account, or suspense, moved otherwise in OPS than what stands for it in STAT. Locks: none; scans
-- one lane.
with moved as (
    select
        pair.account,
        area,
        fund,
        value_date,
        coalesce(sum(debit - credit) filter (where book = 'OPS'), 0) as ops,
        coalesce(sum(debit - credit) filter (where book = 'STAT'), 0) as stat
    from buckets
    inner join unnest($2::text [], $3::text []) as pair (account, of_stat)
        on buckets.account in (pair.account, pair.of_stat)
    where lane = $1
    group by pair.account, area, fund, value_date
)

select account, area, fund, value_date, ops, stat
from moved
where ops <> stat
order by area, fund, account, value_date
limit $4

-- name: cash_against_buckets
-- What is kept of bank accounts, of suspense and of what stands for them, where it is not the sum of their buckets. Locks:
-- none; scans one lane.
with moved as (
    select area, fund, account, sum(debit - credit) as fen
    from buckets
    where lane = $1 and account = any($2::text [])
    group by area, fund, account
),

kept as (
    select area, fund, account, fen
    from cash
    where lane = $1
)

select area, fund, account, coalesce(kept.fen, 0) as kept, coalesce(moved.fen, 0) as moved
from kept
full join moved using (area, fund, account)
where coalesce(kept.fen, 0) <> coalesce(moved.fen, 0)
order by area, fund, account
limit $3

-- name: shifts
-- What is kept of lines whose booking day is another than their value date. Locks: none.
select
    area,
    fund,
    bank_account,
    value_date,
    booked_on,
    fen
from shifts
where lane = $1

-- name: statements
-- What is kept of the bank's statements. Locks: none.
select area, fund, bank_account, day, closing, statement_ref, imported_at
from statements
where lane = $1
