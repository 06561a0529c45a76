-- migrate:up

-- Append-only: no role may update or delete a line. A line moves one amount from one account to another inside one
-- area and one fund, so an unbalanced entry, or one across funds, cannot be written down. The key is the place of the
-- first event that the line sums: a second line for one cause and place breaks it.
create table journal (
    lane smallint not null,
    topic text not null,
    first_offset bigint not null,
    ordinal smallint not null,
    last_offset bigint not null,
    events integer not null,
    type text not null,
    book text not null,
    area text not null,
    fund text not null,
    debit text not null,
    credit text not null,
    amount bigint not null,
    party text not null,
    counterpart text not null,
    insutype text not null,
    clr_type text not null,
    benefit_year smallint not null,
    service_date date,
    value_date date not null,
    recorded_date date not null,
    primary key (lane, topic, first_offset, ordinal),
    constraint amount_is_positive check (amount > 0),
    constraint range_is_forward check (last_offset >= first_offset and events between 1 and last_offset - first_offset + 1),
    constraint book_is_known check (book in ('OPS', 'STAT'))
);

create index journal_by_party on journal (lane, party, recorded_date, topic, first_offset, ordinal);

-- Day buckets on two time axes. A late or backdated event adds to its own bucket and never rewrites another.
create table buckets (
    lane smallint not null,
    party text not null,
    account text not null,
    book text not null,
    fund text not null,
    area text not null,
    counterpart text not null,
    value_date date not null,
    recorded_date date not null,
    debit bigint not null,
    credit bigint not null,
    primary key (lane, party, account, book, fund, area, counterpart, value_date, recorded_date),
    constraint turnovers_are_not_negative check (debit >= 0 and credit >= 0)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- Providers that the fund has an agreement with, as registered; in the lane of their own events.
create table providers (
    lane smallint not null,
    provider text not null,
    area text not null,
    registered_at bigint not null,
    primary key (lane, provider)
);

grant select, insert on journal to medfund_worker;
grant select, insert, update on buckets, providers to medfund_worker;
grant select on journal, buckets, providers to medfund_reader;

-- migrate:down
drop table providers, buckets, journal;
