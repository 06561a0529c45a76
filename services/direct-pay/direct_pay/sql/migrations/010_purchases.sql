-- migrate:up

-- The service stands still while it is migrated, and has no rows yet.
-- squawk-ignore-file require-concurrent-index-creation

-- What is bought, from the order to what is paid of it: a document of each thing, and beside it what it is looked for by.
-- Things between a hospital and a supplier are called by both of them and by the name that one of them gave. Facts and
-- decisions change different parts of a document, so that reading the log again makes the same rows.
create table orders (
    lane smallint not null,
    provider text not null,
    supplier text not null,
    ref text not null,
    area text not null,
    placed_on date,
    is_open boolean not null,
    body text not null,
    primary key (lane, provider, supplier, ref)
);
create index orders_of_supplier on orders (supplier, placed_on);

-- Blue invoices and red letters. `key` is by what two numbers are one and the same, in the whole country.
create table invoices (
    lane smallint not null,
    provider text not null,
    supplier text not null,
    ref text not null,
    area text not null,
    key text not null,
    issued_on date,
    registered_ms bigint not null,
    fen bigint not null,
    red_of text not null,
    statement_ref text not null,
    waits boolean not null,
    body text not null,
    primary key (lane, provider, supplier, ref)
);
create index invoices_by_key on invoices (key);
create index invoices_by_number on invoices (lane, ref);
create index invoices_of_supplier on invoices (supplier, issued_on);
create index invoices_waiting on invoices (lane) where waits;

create table statements (
    lane smallint not null,
    provider text not null,
    supplier text not null,
    ref text not null,
    area text not null,
    status text not null,
    period date,
    submitted_on date,
    mode text not null,
    due date,
    look_on date,
    body text not null,
    primary key (lane, provider, supplier, ref)
);
create index statements_looked_at on statements (lane, look_on) where look_on is not null;
create index statements_of_supplier on statements (supplier, submitted_on);
create index statements_of_area on statements (area, submitted_on);

-- What was paid in a month and how long it took: the cycle is `weighted / fen`, over whatever rows are added.
create table cycles (
    lane smallint not null,
    provider text not null,
    supplier text not null,
    area text not null,
    month text not null,
    fen numeric not null,
    weighted numeric not null,
    primary key (lane, provider, supplier, area, month)
);
create index cycles_of_month on cycles (area, month);
create index cycles_of_supplier on cycles (supplier, month);

-- What hospitals owe from before go-live.
create table arrears (
    lane smallint not null,
    provider text not null,
    supplier text not null,
    ref text not null,
    area text not null,
    since date,
    is_open boolean not null,
    body text not null,
    primary key (lane, provider, supplier, ref)
);
create index arrears_of_supplier on arrears (supplier);

-- Digests of trace codes, with the delivery that each came with first.
create table traces (
    lane smallint not null,
    trace bytea not null,
    provider text not null,
    supplier text not null,
    body text not null,
    primary key (lane, trace)
);

-- What products are and cost, who delivers them, what suppliers are called: in every lane.
create table products (
    lane smallint not null,
    area text not null,
    ref text not null,
    body text not null,
    primary key (lane, area, ref)
);
create table contracts (
    lane smallint not null,
    area text not null,
    ref text not null,
    products text not null,
    primary key (lane, area, ref)
);
create table suppliers (
    lane smallint not null,
    area text not null,
    ref text not null,
    valid_from date not null,
    name text not null,
    account_ends text,
    primary key (lane, area, ref, valid_from)
);

-- Hospitals' own claims, as far as the key of a split follows from them.
create table claims (
    lane smallint not null,
    provider text not null,
    ref text not null,
    body text not null,
    primary key (lane, provider, ref)
);

grant select, insert, update on orders, invoices, statements, cycles, arrears, traces, products, contracts, suppliers, claims
to medfund_worker;
grant select on orders, invoices, statements, cycles, arrears, products, contracts, suppliers to medfund_reader;

-- Whoever reads as hospital or as supplier sees what is between the two. The scopes are uncorrelated sub-selects on purpose:
-- evaluated once a query, not once a row.

alter table orders enable row level security;
alter table orders force row level security;
create policy all_rows on orders to medfund_worker using (true) with check (true);
create policy own_rows on orders for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or supplier = any((select scope('organisations'))::text [])
    )
);

alter table invoices enable row level security;
alter table invoices force row level security;
create policy all_rows on invoices to medfund_worker using (true) with check (true);
create policy own_rows on invoices for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or supplier = any((select scope('organisations'))::text [])
    )
);

alter table statements enable row level security;
alter table statements force row level security;
create policy all_rows on statements to medfund_worker using (true) with check (true);
create policy own_rows on statements for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or supplier = any((select scope('organisations'))::text [])
    )
);

alter table cycles enable row level security;
alter table cycles force row level security;
create policy all_rows on cycles to medfund_worker using (true) with check (true);
create policy own_rows on cycles for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or supplier = any((select scope('organisations'))::text [])
    )
);

alter table arrears enable row level security;
alter table arrears force row level security;
create policy all_rows on arrears to medfund_worker using (true) with check (true);
create policy own_rows on arrears for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (
        (select '*' = any(scope('organisations')))
        or provider = any((select scope('organisations'))::text [])
        or supplier = any((select scope('organisations'))::text [])
    )
);

alter table traces enable row level security;
alter table traces force row level security;
create policy all_rows on traces to medfund_worker using (true) with check (true);
alter table claims enable row level security;
alter table claims force row level security;
create policy all_rows on claims to medfund_worker using (true) with check (true);

-- Prices and contracts of an area are for everybody who may look into it.
alter table products enable row level security;
alter table products force row level security;
create policy all_rows on products to medfund_worker using (true) with check (true);
create policy own_rows on products for select to medfund_reader using (
    (select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text [])
);
alter table contracts enable row level security;
alter table contracts force row level security;
create policy all_rows on contracts to medfund_worker using (true) with check (true);
create policy own_rows on contracts for select to medfund_reader using (
    (select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text [])
);
alter table suppliers enable row level security;
alter table suppliers force row level security;
create policy all_rows on suppliers to medfund_worker using (true) with check (true);
create policy own_rows on suppliers for select to medfund_reader using (
    (select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text [])
);

-- migrate:down
drop table claims, suppliers, contracts, products, traces, arrears, cycles, statements, invoices, orders;
