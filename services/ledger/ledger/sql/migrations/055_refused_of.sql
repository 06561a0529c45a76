-- migrate:up

-- Of a provider that nobody has registered, the area is the one that its event names. Row security is off while rows are
-- touched, for their owner has no scope; it is on again at the end.
alter table quarantine no force row level security;
update quarantine
set area = convert_from(value, 'UTF8')::json ->> 'area'
where reason = 'unknown_provider' and area is null;
alter table quarantine force row level security;

-- Everybody sees by organisation and area, and a publisher what came under its sources besides; of what names no area that
-- can be told, the source is enough. The area of a provider is the one it is registered in, and the scope of `providers`
-- holds in here too. What is of no organisation that can be told is for those who see all of them.
alter policy own_rows on quarantine using (
    (
        (select '*' = any(scope('organisations')))
        or party = any((select scope('organisations'))::text [])
    )
    and (
        (select '*' = any(scope('areas')))
        or area = any((select scope('areas'))::text [])
        or party = any((select scope('organisations'))::text [])
        or party in (select provider from providers)
        or (area is null and not (select '*' = any(scope('sources'))))
    )
    and (
        (select '*' = any(scope('sources')))
        or source = any((select scope('sources'))::text [])
    )
);

-- migrate:down
alter policy own_rows on quarantine using (
    case when (select '*' = any(scope('sources')))
        then
            (
                (select '*' = any(scope('organisations')))
                or party = any((select scope('organisations'))::text [])
            )
            and (
                (select '*' = any(scope('areas')))
                or area = any((select scope('areas'))::text [])
                or party = any((select scope('organisations'))::text [])
                or party in (select provider from providers)
            )
        else source = any((select scope('sources'))::text [])
    end
);
