-- migrate:up

-- What one person of the office wants to be in force (a mandate, a source, a policy), and the other one who agreed: one row
-- each, added once and never changed. `area` is '*' where it is about every area.
create table proposals (
    area text not null,
    proposal_ref text not null,
    kind text not null,
    hash text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    says jsonb not null,
    primary key (area, proposal_ref)
);
create index proposals_by_time on proposals (proposed_at, area, proposal_ref);
create table proposal_approvals (
    area text not null,
    proposal_ref text not null,
    approved_by text not null,
    approved_at timestamptz not null,
    primary key (area, proposal_ref),
    foreign key (area, proposal_ref) references proposals
);
grant select on proposals, proposal_approvals to medfund_reader;
grant insert on proposals, proposal_approvals to medfund_api;

alter table proposals enable row level security;
alter table proposals force row level security;
create policy own_rows on proposals to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);
alter table proposal_approvals enable row level security;
alter table proposal_approvals force row level security;
create policy own_rows on proposal_approvals to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);

-- migrate:down
drop table proposal_approvals, proposals;
