-- name: groups
-- The groups that migrations grant to. Roles belong to the whole server, so another database may have made them.
do $$
declare wanted text;
begin
    -- Two databases of one server may be provisioned at once, and `create role` has no `if not exists`.
    perform pg_advisory_xact_lock(hashtext('medfund.provision'));
    foreach wanted in array array['medfund_worker', 'medfund_reader', 'medfund_api', 'medfund_bank'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin nosuperuser nobypassrls', wanted);
        end if;
    end loop;
    execute format('revoke connect, temporary on database %I from public', current_database());
end $$

-- name: schema
-- The service's own schema: nobody sees it who is not let in below.
do $$
begin
    create schema if not exists {schema};
    revoke all on schema public from public;
end $$

-- name: role
-- One login role; its password and limits come in settings of this transaction, so that they are not part of the text.
do $$
declare wanted text;
begin
    if not exists (select from pg_roles where rolname = '{role}') then
        create role {role} login nosuperuser nobypassrls;
    end if;
    execute format('alter role {role} connection limit {connections} password %L', current_setting('medfund.password'));
    execute format('grant connect on database %I to {role}', current_database());
    execute format('alter role {role} in database %I set search_path = {schema}', current_database());
    execute format(
        'alter role {role} in database %I set statement_timeout = %L', current_database(), current_setting('medfund.statement')
    );
    grant usage on schema {schema} to {role};
    foreach wanted in array string_to_array(current_setting('medfund.groups'), ',') loop
        execute format('grant %I to {role}', wanted);
    end loop;
end $$

-- name: elsewhere
-- Another database of this server in which a role has a place. Locks: none.
select known.datname
from pg_db_role_setting as place
inner join pg_database as known on place.setdatabase = known.oid
inner join pg_roles as role on place.setrole = role.oid
where role.rolname = $1 and known.datname <> current_database()
order by known.datname
limit 1

-- name: there
-- Whether somebody made this role before, for whatever database of this server. Locks: none.
select exists(select from pg_roles where rolname = $1)

-- name: lanes_there
-- Whether a service has tables of lanes in this database. Locks: none.
select to_regclass('{schema}.workers') is not null

-- name: leases
-- Workers of a service that may live, and until when they said so last. Locks: none.
select
    name,
    seen_until
from {schema}.workers
where seen_until > now()

-- name: owner
-- The owner makes tables in it.
alter schema {schema} owner to {schema}_owner
