-- migrate:up

-- Plans of statements, each as it was made, and who said yes to it. `is_open`: somebody may have agreed to it, and not all
-- of it was read from the log yet.
create table statement_plans (
    area text not null,
    plan_ref text not null,
    hash text not null,
    made_by text not null,
    made_at timestamptz not null,
    is_open boolean not null default true,
    body text not null,
    primary key (area, plan_ref)
);
create index statement_plans_open on statement_plans (area, plan_ref) where is_open;
create table statement_approvals (
    area text not null,
    plan_ref text not null,
    staff_ref text not null,
    role text not null,
    at timestamptz not null,
    primary key (area, plan_ref, staff_ref),
    foreign key (area, plan_ref) references statement_plans
);

-- One row, of nobody: every yes changes it, whichever plan it is said to.
create table statement_turn (
    id boolean not null primary key default true,
    agreed bigint not null default 0,
    constraint one_row check (id)
);
insert into statement_turn default values;

grant select on statement_plans, statement_approvals to medfund_reader;
grant insert on statement_plans, statement_approvals to medfund_api;
grant update (is_open) on statement_plans to medfund_api;
grant select, update (agreed) on statement_turn to medfund_api;

alter table statement_plans enable row level security;
alter table statement_plans force row level security;
create policy own_rows on statement_plans to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);
alter table statement_approvals enable row level security;
alter table statement_approvals force row level security;
create policy own_rows on statement_approvals to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);

-- migrate:down
drop table statement_turn, statement_approvals, statement_plans;
