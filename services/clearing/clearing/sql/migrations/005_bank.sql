-- migrate:up

-- Files that went to the bank and came from it, each once: what was in them, and what became of them. The files themselves
-- are kept in the bank's folder.
create table bank_files (
    name text not null,
    sha256 text not null,
    direction text not null,
    kind text not null,
    message_id text not null,
    area text not null,
    entries integer not null,
    fen bigint not null,
    at timestamptz not null,
    outcome text not null,
    detail text not null,
    primary key (name, sha256, direction)
);
create index bank_files_of_message on bank_files (message_id) where direction = 'OUT';

-- The lines of the bank's statements, as the bank has them; `ref` is what a line names, if anything.
create table bank_lines (
    area text not null,
    fund text not null,
    bank_account text not null,
    bank_txn text not null,
    day date not null,
    value_date date not null,
    fen bigint not null,
    ref text not null,
    primary key (area, fund, bank_account, bank_txn)
);
create index bank_lines_by_day on bank_lines (area, fund, bank_account, day);

create table bank_statements (
    area text not null,
    fund text not null,
    bank_account text not null,
    day date not null,
    statement_ref text not null,
    opening bigint not null,
    closing bigint not null,
    lines integer not null,
    primary key (area, fund, bank_account, day)
);

grant select, insert on bank_files, bank_lines to medfund_reader;
grant select, insert, update on bank_statements to medfund_reader;

alter table bank_files enable row level security;
alter table bank_files force row level security;
create policy own_rows on bank_files to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);
alter table bank_lines enable row level security;
alter table bank_lines force row level security;
create policy own_rows on bank_lines to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);
alter table bank_statements enable row level security;
alter table bank_statements force row level security;
create policy own_rows on bank_statements to medfund_reader using (
    (select '*' = any(scope('organisations')))
    and ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
);

-- migrate:down
drop table bank_statements, bank_lines, bank_files;
