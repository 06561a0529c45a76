-- migrate:up

-- What readers may know of references: which settlement each row is of, itself or taken back, and what the funds bear. As
-- in `settled`, the view looks at the scope itself.
create view referenced with (security_barrier = true) as
select
    lane,
    provider,
    area,
    service_date,
    coalesce(reverses, ref) as settlement,
    reverses is not null as taken_back,
    (select sum(part) from unnest(fens) as part)::numeric as fen
from settlements
where
    ((select '*' = any(scope('areas'))) or area = any((select scope('areas'))::text []))
    and ((select '*' = any(scope('organisations'))) or provider = any((select scope('organisations'))::text []));
grant select on referenced to medfund_reader;

-- migrate:down
drop view referenced;
