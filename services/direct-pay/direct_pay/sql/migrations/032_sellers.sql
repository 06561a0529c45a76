-- migrate:up

-- Who sells to a hospital knows what it is called.
create policy sellers_rows on providers for select to medfund_reader using (
    exists (
        select from statements
        where statements.lane = providers.lane and statements.provider = providers.provider
    )
);

-- migrate:down
drop policy sellers_rows on providers;
