-- name: findings
-- The findings that a batch of events can touch: all of the batches that are decided ($2), those that are named ($3, $4)
-- with the others on their settlements, and those on settlements that a claim reverses ($5). Locks: none.
select body
from findings
where
    lane = $1
    and (
        batch = any($2::text [])
        or (batch, finding_ref) in (select * from unnest($3::text [], $4::text []))
        or settlement_ref in (
            select named.settlement_ref
            from findings as named
            where named.lane = $1 and (named.batch, named.finding_ref) in (select * from unnest($3::text [], $4::text []))
        )
        or settlement_ref = any($5::text [])
    )

-- name: found
-- The settlements that new findings are about, by batch and reference. Reads the period of each batch once. Locks: none.
with wanted as (
    select
        batch,
        array_agg(decode(ref, 'hex')) as refs
    from unnest($2::text::text [], $3::text::text []) as given (batch, ref)
    group by batch
)

select
    wanted.batch,
    encode(settlement.ref, 'hex') as ref,
    settlement.service_date,
    settlement."offset",
    settlement.funds,
    settlement.fens,
    settlement.med_type
from wanted
inner join claims as claim on claim.lane = $1 and wanted.batch = claim.ref
inner join settlements as settlement
    on
        settlement.lane = $1
        and claim.provider = settlement.provider
        and settlement.service_date between claim.period_from and claim.period_to
        and settlement.ref = any(wanted.refs)
where
    (settlement.area, settlement.insured_area, settlement.insutype, settlement.clr_type, settlement.clr_way) = (
        claim.area,
        claim.body -> 'dimensions' ->> 'insured_area',
        claim.body -> 'dimensions' ->> 'insutype',
        claim.body -> 'dimensions' ->> 'clr_type',
        claim.body ->> 'clr_way'
    )

-- name: reversed
-- Which of these settlements were reversed. Locks: none.
select distinct encode(reverses, 'hex') as ref
from settlements
where lane = $1 and reverses in (select decode(wanted, 'hex') from unnest($2::text []) as wanted)

-- name: save_findings
-- Findings that decisions changed. Locks: those rows; only this lane writes them.
insert into findings (lane, batch, finding_ref, provider, settlement_ref, body)
select
    $1,
    changed.*
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::jsonb []) as changed
on conflict (lane, batch, finding_ref) do update set body = excluded.body

-- name: forget_findings
-- Findings of batches that were withdrawn. Locks: those rows; only this lane writes them.
delete from findings
where lane = $1 and (batch, finding_ref) in (select * from unnest($2::text::text [], $3::text::text []))
