-- name: groups
-- The two groups that migrations grant to. Roles belong to the whole server, so another database may have made them.
do $$
declare wanted text;
begin
    -- Two databases of one server may be provisioned at once, and `create role` has no `if not exists`.
    perform pg_advisory_xact_lock(hashtext('medfund.provision'));
    foreach wanted in array array['medfund_worker', 'medfund_reader'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin nosuperuser nobypassrls', wanted);
        end if;
    end loop;
end $$

-- name: role
-- One login role; its password comes in a setting of this transaction so that it is not part of the text.
do $$
begin
    if not exists (select from pg_roles where rolname = '{role}') then
        create role {role} login nosuperuser nobypassrls;
    end if;
    execute format('alter role {role} password %L', current_setting('medfund.password'));
    execute format('grant connect on database %I to {role}', current_database());
    execute format('alter role {role} in database %I set search_path = {schema}', current_database());
end $$

-- name: schema
-- The service's own schema: the owner makes tables in it, the other two use them, nobody else sees it.
do $$
begin
    grant medfund_worker to {schema}_worker;
    grant medfund_reader to {schema}_reader;
    create schema if not exists {schema};
    alter schema {schema} owner to {schema}_owner;
    grant usage on schema {schema} to {schema}_worker, {schema}_reader;
    revoke all on schema public from public;
end $$
