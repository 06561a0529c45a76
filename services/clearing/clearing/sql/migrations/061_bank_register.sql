-- migrate:up

-- Which accounts of the fund the bank process's register has, by area, fund and account, without any number: one row, and
-- none before a bank process has read its register.
create table bank_register (
    is_one boolean primary key default true check (is_one),
    own jsonb not null
);
grant select, insert, update on bank_register to medfund_bank;
grant select on bank_register to medfund_reader;

-- migrate:down
drop table bank_register;
