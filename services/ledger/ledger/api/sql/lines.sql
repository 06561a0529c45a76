-- name: lines
-- Journal lines in the order of `journal_by_party`, so that a page reads its own rows and stops. Null narrows nothing.
-- Locks: none.
select
    lane,
    topic,
    first_offset,
    ordinal,
    last_offset,
    events,
    type,
    book,
    area,
    fund,
    debit,
    credit,
    amount,
    party,
    counterpart,
    insutype,
    clr_type,
    benefit_year,
    service_date,
    value_date,
    recorded_date,
    credit_counterpart
from journal
where
    lane = any($1::smallint [])
    and book = $2::text
    and ($3::text [] is null or area = any($3))
    and ($4::text [] is null or party = any($4))
    and ($5::text [] is null or counterpart = any($5) or credit_counterpart = any($5))
    and ($6::text is null or fund = $6)
    and ($7::text is null or $7 in (debit, credit))
    and ($8::date is null or value_date <= $8)
    and ($9::date is null or recorded_date <= $9)
    and ($10::text is null or type = $10)
    and ($11::date is null or service_date >= $11)
    and ($12::date is null or service_date <= $12)
    and (
        $13::smallint is null
        or (lane, party, recorded_date, topic, first_offset, ordinal)
        > ($13, $14::text, $15::date, $16::text, $17::bigint, $18::smallint)
    )
order by lane, party, recorded_date, topic, first_offset, ordinal
limit $19::int

-- name: line
-- One line by its key. Locks: none.
select
    lane,
    topic,
    first_offset,
    ordinal,
    last_offset,
    events,
    type,
    book,
    area,
    fund,
    debit,
    credit,
    amount,
    party,
    counterpart,
    insutype,
    clr_type,
    benefit_year,
    service_date,
    value_date,
    recorded_date,
    credit_counterpart
from journal
where
    lane = $1
    and topic = $2
    and first_offset = $3
    and ordinal = $4
    and ($5::text [] is null or area = any($5))
    and ($6::text [] is null or party = any($6))
    and ($7::text [] is null or counterpart = any($7) or credit_counterpart = any($7))

-- name: turnover
-- What the lines of one party say of one account, to be held against its buckets. Locks: none.
select
    count(*) as lines,
    coalesce(sum(amount) filter (where debit = $7 and ($5::text [] is null or counterpart = any($5))), 0) as debit,
    coalesce(sum(amount) filter (
        where credit = $7 and ($5::text [] is null or coalesce(credit_counterpart, counterpart) = any($5))
    ), 0) as credit
from journal
where
    lane = any($1::smallint [])
    and book = $2::text
    and ($3::text [] is null or area = any($3))
    and ($4::text [] is null or party = any($4))
    and ($5::text [] is null or counterpart = any($5) or credit_counterpart = any($5))
    and ($6::text is null or fund = $6)
    and $7::text in (debit, credit)
    and ($8::date is null or value_date <= $8)
    and ($9::date is null or recorded_date <= $9)

-- name: accepted_at
-- Which of these events took effect, and at which offset. Locks: none.
select
    identity,
    "offset"
from identities
where lane = $1 and topic = $2 and identity = any($3::bytea [])
