-- migrate:up

-- Who asked for what and was allowed or refused. One row before a command is carried out, one for each refusal of a
-- known caller. The API may add rows and cannot read, change or delete them.
create table audit (
    id uuid primary key,
    at timestamptz not null,
    subject text not null,
    role text not null,
    operation text not null,
    outcome text not null,
    detail jsonb not null,
    constraint outcome_is_a_code check (outcome ~ '^[a-z_]{1,40}$')
);

grant insert on audit to medfund_reader;

-- migrate:down
drop table audit;
