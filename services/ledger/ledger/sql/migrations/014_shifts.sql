-- migrate:up

-- What the bank booked on another day than its value date: the books go by the value date, a statement's closing balance by
-- the booking day. Kept beside the books, so that the two can be compared.
create table shifts (
    lane smallint not null,
    area text not null,
    fund text not null,
    bank_account text not null,
    value_date date not null,
    booked_on date not null,
    fen numeric not null,
    primary key (lane, area, fund, bank_account, value_date, booked_on),
    constraint shifted_account_is_known check (bank_account in ('1002', '1003')),
    constraint days_are_two check (value_date <> booked_on)
);

grant select, insert, update on shifts to medfund_worker;
grant select on shifts to medfund_reader;

-- A bank account is the area's: whoever is bound to named organisations sees none of it.
alter table shifts enable row level security;
alter table shifts force row level security;
create policy all_rows on shifts to medfund_worker using (true) with check (true);
create policy own_rows on shifts for select to medfund_reader using (
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and (select '*' = any(scope('organisations')))
);

-- migrate:down
drop table shifts;
