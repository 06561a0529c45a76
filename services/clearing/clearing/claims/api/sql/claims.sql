-- name: claims
-- Claims in the order of `claims_by_due`, or of `claims_open_by_due`, which holds nothing that is over, so that a page reads
-- its own rows and stops. Null narrows nothing; what is unpaid is what `Claim.unpaid` says, and is open. One that was withdrawn and then rejected is among the rejected. Locks: none.
select
    claim.lane,
    claim.provider,
    claim.ref,
    claim.due,
    claim.body,
    rejection.body as rejection
from claims as claim
cross join lateral (
    select
        claim.status = 'IN_REVIEW'
        or claim.status = 'APPROVED'
        and (
            jsonb_path_exists(claim.body -> 'pending', '$.* ? (@ != 0)')
            or jsonb_path_exists(claim.body -> 'payable', '$.* ? (@ > 0)')
        ) as unpaid
) as clock
left join rejections as rejection
    on claim.lane = rejection.lane and claim.provider = rejection.provider and claim.ref = rejection.ref
where
    claim.lane = any($1::smallint [])
    and ($2::text [] is null or claim.area = any($2))
    and ($3::text [] is null or claim.provider = any($3))
    and ($4::text is null or claim.status = $4)
    and (claim.is_open or $4::text is distinct from 'IN_REVIEW')
    and ($5::date is null or claim.due < $5)
    and ($6::date is null or claim.due > $6)
    and (
        $7::date is null
        or (claim.is_open and clock.unpaid and coalesce((claim.body ->> 'latest')::date, claim.due) < $7) = $8::boolean
    )
    and ((claim.is_open and clock.unpaid) or not $9::boolean)
    and ($10::text is null or claim.body ->> 'cut_off' >= $10)
    and ($11::text is null or claim.body ->> 'cut_off' <= $11)
    and ($12::boolean is null or (rejection.ref is not null) = $12)
    and ($13::date is null or (claim.due, claim.lane, claim.provider, claim.ref) > ($13, $14::smallint, $15::text, $16::text))
    and (claim.status <> 'WITHDRAWN' or rejection.ref is null)
order by claim.due, claim.lane, claim.provider, claim.ref
limit $17::int

-- name: rejections
-- Claims that were rejected and stand under no name that lives, in the order of `rejections_by_day`. Locks: none.
select
    rejection.lane,
    rejection.provider,
    rejection.ref,
    rejection.submitted_on as due,
    null as body,
    rejection.body as rejection
from rejections as rejection
where
    rejection.lane = any($1::smallint [])
    and ($2::text [] is null or rejection.area = any($2))
    and ($3::text [] is null or rejection.provider = any($3))
    and ($4::text is null or rejection.ref = $4)
    and not exists (
        select from claims as claim
        where
            rejection.lane = claim.lane and rejection.provider = claim.provider and rejection.ref = claim.ref
            and claim.status <> 'WITHDRAWN'
    )
    and (
        $5::date is null
        or (rejection.submitted_on, rejection.lane, rejection.provider, rejection.ref)
        > ($5, $6::smallint, $7::text, $8::text)
    )
order by rejection.submitted_on, rejection.lane, rejection.provider, rejection.ref
limit $9::int

-- name: claim
-- The claim of a provider under a name, and what was rejected under it since. Locks: none.
select
    claim.lane,
    claim.body,
    rejection.body as rejection
from claims as claim
left join rejections as rejection
    on claim.lane = rejection.lane and claim.provider = rejection.provider and claim.ref = rejection.ref
where
    claim.lane = any($1::smallint [])
    and ($2::text [] is null or claim.area = any($2))
    and ($3::text [] is null or claim.provider = any($3))
    and claim.ref = $4
