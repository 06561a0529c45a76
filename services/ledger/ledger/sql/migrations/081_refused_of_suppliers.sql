-- migrate:up

-- What a supplier sends is of the hospitals that it is about. It sees why something of it was refused where it came under a
-- source that speaks for no organisation beside those that its caller may see.
alter policy own_rows on quarantine using (
    (
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
    )
    or (
        source = any((select scope('sources'))::text [])
        and source = any(array(
            select event ->> 'source'
            from sources
            where type = 'source.registered.v1'
            group by event ->> 'source'
            having
                bool_and(
                    coalesce(
                        event -> 'organisations' <@ to_jsonb((select scope('organisations'))::text [])
                        and event -> 'organisations' <> '[]',
                        false
                    )
                )
        ))
    )
);

-- migrate:down
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
