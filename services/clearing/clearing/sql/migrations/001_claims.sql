-- migrate:up

-- What facts say. Registered providers, published policies and notices of working days, each as it came.
create table providers (
    lane smallint not null,
    provider text not null,
    area text not null,
    primary key (lane, provider)
);
create table policies (
    lane smallint not null,
    "offset" bigint not null,
    event jsonb not null,
    primary key (lane, "offset")
);
create table notices (
    lane smallint not null,
    "offset" bigint not null,
    event jsonb not null,
    primary key (lane, "offset")
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
    ref bytea not null,
    funds text [] not null,
    fens bigint [] not null,
    advanced text [] not null,
    primary key (lane, "offset")
);
create index settlements_to_claim on settlements (lane, provider, service_date);

-- What decisions say. `body` is the whole claim; the columns beside it are what it is looked for by.
create table claims (
    lane smallint not null,
    batch text not null,
    provider text not null,
    area text not null,
    period_from date not null,
    period_to date not null,
    status text not null,
    is_open boolean not null,
    due date not null,
    body jsonb not null,
    primary key (lane, batch)
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

grant select, insert, update on providers, claims, payments to medfund_worker;
grant select, insert on policies, notices, settlements to medfund_worker;

-- migrate:down
drop table payments, claims, settlements, notices, policies, providers;
