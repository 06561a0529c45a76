-- migrate:up

-- Who only reads writes nothing any more: the API has a role of its own, and so has the process that works on the bank's
-- files. `medfund prepare` has made their groups.
revoke insert on commands, audit, prepayment_plans, prepayment_approvals, bank_files, bank_lines from medfund_reader;
revoke insert, update on runs, bank_statements from medfund_reader;
grant insert on commands, audit, prepayment_plans, prepayment_approvals to medfund_api;
grant insert, update on runs to medfund_api;

-- The bank process works for every area, as the worker does: it has policies that say so, and reads no more than it needs.
grant select on
identities, positions, quarantine, providers, facts, payments, recoveries, prepayments, suspense, moves to medfund_bank;
grant select, insert on bank_files, bank_lines to medfund_bank;
grant select, insert, update on bank_statements to medfund_bank;
create policy banks_rows on quarantine for select to medfund_bank using (true);
create policy banks_rows on providers for select to medfund_bank using (true);
create policy banks_rows on facts for select to medfund_bank using (true);
create policy banks_rows on payments for select to medfund_bank using (true);
create policy banks_rows on recoveries for select to medfund_bank using (true);
create policy banks_rows on prepayments for select to medfund_bank using (true);
create policy banks_rows on suspense for select to medfund_bank using (true);
create policy banks_rows on moves for select to medfund_bank using (true);
create policy banks_rows on bank_files to medfund_bank using (true) with check (true);
create policy banks_rows on bank_lines to medfund_bank using (true) with check (true);
create policy banks_rows on bank_statements to medfund_bank using (true) with check (true);

-- migrate:down
drop policy banks_rows on bank_statements;
drop policy banks_rows on bank_lines;
drop policy banks_rows on bank_files;
drop policy banks_rows on moves;
drop policy banks_rows on suspense;
drop policy banks_rows on prepayments;
drop policy banks_rows on recoveries;
drop policy banks_rows on payments;
drop policy banks_rows on facts;
drop policy banks_rows on providers;
drop policy banks_rows on quarantine;
revoke all on
identities, positions, quarantine, providers, facts, payments, recoveries, prepayments, suspense, moves, bank_files, bank_lines,
bank_statements from medfund_bank;
revoke insert on commands, audit, prepayment_plans, prepayment_approvals from medfund_api;
revoke insert, update on runs from medfund_api;
grant insert on commands, audit, prepayment_plans, prepayment_approvals, bank_files, bank_lines to medfund_reader;
grant insert, update on runs, bank_statements to medfund_reader;
