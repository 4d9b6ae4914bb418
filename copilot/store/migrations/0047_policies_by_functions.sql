-- The row policies say the same as since 0040 and cost a statement half as much: what they read of the setting is worked
-- out by functions, so that a statement prepares a call in each scalar subselect rather than twenty nested expressions.
-- Still each is evaluated once per statement, and only if it is needed.

-- None calls another one of them, which would cost more than what it does.

-- The setting has one more class, the empty one, for tables that hold many: its group is 0, of which `reach_0` is the first
-- product of the first group and `more_0` every other, each followed by ;classes. `rest` is no more.

-- Whether rows of a class are seen whatever their labels.
create function core.everywhere(class text) returns boolean language plpgsql stable parallel safe as $$
declare
    scope text := current_setting('copilot.scope', true);
begin
    return split_part(split_part(scope, E'\nreach_' || split_part(split_part(
        scope, E'\nmay_' || class || '=', 2), E'\n', 1) || '=', 2), E'\n', 1) = '*;*;*;*';
end $$;

-- The labels of one kind (1 to 4: regions, sites, channels, accounts) of the first product; null for every one.
create function core.labels(class text, kind integer) returns bigint[] language plpgsql stable parallel safe as $$
declare
    scope text := current_setting('copilot.scope', true);
begin
    return nullif(coalesce(nullif(split_part(split_part(split_part(scope, E'\nreach_' || split_part(split_part(
        scope, E'\nmay_' || class || '=', 2), E'\n', 1) || '=', 2), E'\n', 1), ';', kind), ''), '{}'), '*');
end $$;

-- The products beyond the first; null where there are none.
create function core.beyond(class text) returns core.reach[] language plpgsql stable parallel safe as $$
declare
    scope text := current_setting('copilot.scope', true);
begin
    return core.unpacked(nullif(split_part(split_part(scope, E'\nmore_' || split_part(split_part(
        scope, E'\nmay_' || class || '=', 2), E'\n', 1) || '=', 2), E'\n', 1), ''));
end $$;

create or replace function ddl.row_condition(class text) returns text language plpgsql immutable as $$
declare
    name text := quote_literal(coalesce(class, '')) || '::text';
    inline text;
begin
    select string_agg(format('(%I = any ((select core.labels(%s, %s))::bigint[])) is not false', label, name, kind),
                      ' and ' order by kind)
      into inline
      from unnest(array['label_region', 'label_site', 'label_channel', 'label_account']) with ordinality as l (label, kind);
    inline := format('((select core.everywhere(%s)) or (%s))', name, inline);
    if class is null then
        inline := format('(record_class = any ((select string_to_array(split_part(split_part('
            'current_setting(''copilot.scope'', true), E''\nclasses='', 2), E''\n'', 1), '',''))::text[])'
            ' and %s)', inline);
    end if;
    return format('%s or core.reached((select core.beyond(%s)), record_class, label_region, label_site, label_channel,'
        ' label_account)', inline, name);
end $$;
drop function ddl.scope_line(text);

do $$
declare
    target regclass;
begin
    for target in select polrelid from pg_policy where polname = 'scope' order by polrelid::regclass::text loop
        execute format('alter policy scope on %s using (%s)', target, ddl.row_condition(
            coalesce(ddl.class_of(target), (select ddl.class_of(format('biz.%I', relname)::regclass)
                                              from pg_class where oid = target and relnamespace = 'hist'::regnamespace))));
    end loop;
end $$;
