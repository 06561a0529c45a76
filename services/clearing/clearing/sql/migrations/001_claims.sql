-- migrate:up

-- What facts say: registered providers, and what rules keep in memory, each as it came (policies, notices of working days,
-- agreements, qualifications, stages of audits).
create table providers (
    lane smallint not null,
    provider text not null,
    area text not null,
    primary key (lane, provider)
);
create table facts (
    lane smallint not null,
    topic text not null,
    "offset" bigint not null,
    type text not null,
    provider text,
    body jsonb not null,
    primary key (lane, topic, "offset")
);

-- One row for each settlement and each reversal, at its place on the log.
create table settlements (
    lane smallint not null,
    "offset" bigint not null,
    provider text not null,
    area text not null,
    insured_area text not null,
    insutype text not null,
    clr_type text not null,
    clr_way text not null,
    service_date date not null,
    med_type text not null,
    ref bytea not null,
    reverses bytea,
    funds text [] not null,
    fens bigint [] not null,
    advanced text [] not null,
    primary key (lane, "offset")
);
create index settlements_to_claim on settlements (lane, provider, service_date);
create index settlements_reversed on settlements (lane, reverses) where reverses is not null;

-- What decisions say. `body` is the whole claim; the columns beside it are what it is looked for by.
create table claims (
    lane smallint not null,
    ref text not null,
    provider text not null,
    area text not null,
    period_from date not null,
    period_to date not null,
    status text not null,
    is_open boolean not null,
    due date not null,
    body jsonb not null,
    primary key (lane, ref)
);
create index claims_of_provider on claims (lane, provider);
create index claims_open on claims (lane) where is_open;

create table payments (
    lane smallint not null,
    payment_ref text not null,
    provider text not null,
    status text not null,
    body jsonb not null,
    primary key (lane, payment_ref)
);

create table findings (
    lane smallint not null,
    batch text not null,
    finding_ref text not null,
    provider text not null,
    settlement_ref text,
    body jsonb not null,
    primary key (lane, batch, finding_ref)
);
create index findings_on_settlement on findings (lane, settlement_ref) where settlement_ref is not null;

create table recoveries (
    lane smallint not null,
    ref text not null,
    provider text not null,
    is_open boolean not null,
    settlement_ref text,
    body jsonb not null,
    primary key (lane, ref)
);
create index recoveries_open on recoveries (lane, provider) where is_open;
create index recoveries_of_settlement on recoveries (lane, settlement_ref) where settlement_ref is not null;

grant select, insert, update on providers, claims, payments, recoveries to medfund_worker;
grant select, insert, update, delete on findings to medfund_worker;
grant select, insert on facts, settlements to medfund_worker;

-- migrate:down
drop table recoveries, findings, payments, claims, settlements, facts, providers;
