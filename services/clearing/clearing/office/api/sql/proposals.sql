-- name: keep
-- What somebody proposed, as it was said first. Locks: none beyond the new row; of two at once the second waits for the
-- first.
insert into proposals (area, proposal_ref, kind, hash, proposed_by, proposed_at, says)
values ($1, $2, $3, $4, $5, $6, $7::text::jsonb)
on conflict do nothing

-- name: approve
-- The second person's yes; the first who says it counts. Locks: none beyond the new row; of two at once the second waits
-- for the first.
insert into proposal_approvals (area, proposal_ref, approved_by, approved_at)
values ($1, $2, $3, $4)
on conflict do nothing

-- name: one
-- A proposal with the one who approved it. Locks: none.
select
    proposals.*,
    approval.approved_by,
    approval.approved_at
from proposals
left join proposal_approvals as approval using (area, proposal_ref)
where proposals.area = $1 and proposals.proposal_ref = $2

-- name: several
-- Proposals, the oldest first. Null narrows nothing. Locks: none.
select
    proposals.*,
    approval.approved_by,
    approval.approved_at
from proposals
left join proposal_approvals as approval using (area, proposal_ref)
where
    ($1::text [] is null or proposals.area = any($1))
    and ($2::text is null or proposals.kind = $2)
    and ($3::boolean is null or $3 = (approval.approved_by is null))
    and (
        $4::text is null
        or (proposals.proposed_at, proposals.area, proposals.proposal_ref) > ($4::text::timestamptz, $5::text, $6::text)
    )
order by proposals.proposed_at, proposals.area, proposals.proposal_ref
limit $7::int

-- name: said
-- What two people have said before of one kind in an area, in the order in which it was proposed. Locks: none.
select proposals.says
from proposals
inner join proposal_approvals using (area, proposal_ref)
where proposals.kind = $1 and proposals.area = $2
order by proposals.proposed_at, proposals.proposal_ref

-- name: mandates
-- What was said of people last, as any lane has it. Locks: none.
select body
from facts
where lane = $1 and type = 'staff.mandated.v1' and body ->> 'area' = any($2::text [])
order by topic, "offset"

-- name: policies
-- The rules of some areas, in the order in which they were published. Locks: none.
select body
from facts
where lane = $1 and type = 'policy.published.v1' and body ->> 'area' = any($2::text [])
order by topic, "offset"

-- name: sources
-- What was said of some sources, in its order. Locks: none.
select event as body
from sources
where lane = $1 and type = 'source.registered.v1' and event ->> 'source' = any($2::text [])
order by "offset"
