-- name: findings
-- The findings that a batch of events can touch: all of the claims that are decided ($2, $3), those that are named ($4-$6)
-- with the others on their settlements, and those on settlements that a claim reverses ($7, $8). Each by an index of its
-- own, and then by name, as with claims. Locks: none.
with named as (
    select
        finding.provider,
        finding.batch,
        finding.finding_ref,
        finding.settlement_ref
    from unnest($4::text [], $5::text [], $6::text []) as given (provider, batch, finding_ref)
    inner join findings as finding
        on
            finding.lane = $1
            and given.provider = finding.provider
            and given.batch = finding.batch
            and given.finding_ref = finding.finding_ref
),

settlements as (
    select
        provider,
        settlement_ref
    from named
    where settlement_ref is not null
    union distinct
    select
        provider,
        settlement_ref
    from unnest($7::text [], $8::text []) as reversed (provider, settlement_ref)
),

touched as (
    select
        provider,
        batch,
        finding_ref
    from named
    union distinct
    select
        finding.provider,
        finding.batch,
        finding.finding_ref
    from unnest($2::text [], $3::text []) as claim (provider, batch)
    inner join findings as finding
        on finding.lane = $1 and claim.provider = finding.provider and claim.batch = finding.batch
    union distinct
    select
        finding.provider,
        finding.batch,
        finding.finding_ref
    from settlements as settlement
    inner join findings as finding
        on
            finding.lane = $1
            and settlement.provider = finding.provider
            and settlement.settlement_ref = finding.settlement_ref
)

select finding.body
from touched
inner join findings as finding
    on
        finding.lane = $1
        and touched.provider = finding.provider
        and touched.batch = finding.batch
        and touched.finding_ref = finding.finding_ref

-- name: found
-- The settlements that new findings are about, by claim and reference. Reads the period of each claim once. Locks: none.
with wanted as (
    select
        provider,
        batch,
        array_agg(decode(ref, 'hex')) as refs
    from unnest($2::text [], $3::text [], $4::text []) as given (provider, batch, ref)
    group by provider, batch
)

select
    wanted.provider,
    wanted.batch,
    encode(settlement.ref, 'hex') as ref,
    settlement.service_date,
    settlement."offset",
    settlement.funds,
    settlement.fens,
    settlement.med_type
from wanted
inner join claims as claim on claim.lane = $1 and wanted.provider = claim.provider and wanted.batch = claim.ref
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
select distinct
    named.provider,
    named.ref
from unnest($2::text [], $3::text []) as named (provider, ref)
inner join settlements as settlement
    on
        settlement.lane = $1
        and settlement.reverses = decode(named.ref, 'hex')
        and named.provider = settlement.provider

-- name: save_findings
-- Findings that decisions changed. Locks: those rows; only this lane writes them.
insert into findings (lane, provider, batch, finding_ref, settlement_ref, body)
select
    $1,
    changed.*
from unnest($2::text::text [], $3::text::text [], $4::text::text [], $5::text::text [], $6::text::jsonb []) as changed
on conflict (lane, provider, batch, finding_ref) do update set body = excluded.body

-- name: forget_findings
-- Findings of batches that were withdrawn. Locks: those rows; only this lane writes them.
delete from findings
where
    lane = $1
    and (provider, batch, finding_ref) in (select * from unnest($2::text::text [], $3::text::text [], $4::text::text []))
