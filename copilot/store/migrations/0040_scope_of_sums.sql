-- A scope is a sum of products of record classes and labels, and the row policies follow it exactly. See
-- copilot/domain/scope.py, which writes the settings, and copilot/adr/0023-scopes-are-sums.md.
--
-- copilot.scope holds lines of name=value, with a line break before the first and after the last:
--   may_<class>   the group of products that holds the class; without it none of its records may be read
--   reach_<group> the first product, "regions;sites;channels;accounts": an array of ids each, or * for every one
--   more_<group>  the products beyond it, separated by |; without it there are none
--   classes       the classes of the first group
--   rest          every product but the first of the first group, each followed by ;classes
-- copilot.classes lists every class, for statements that would look in vain.
-- Both are always set together, so that nothing of another scope can be left standing beside them.

-- One product, unpacked. A null array stands for every one of a kind.
create type core.reach as (regions bigint[], sites bigint[], channels bigint[], accounts bigint[], classes text[]);

create function core.unpacked(products text) returns core.reach[] language plpgsql immutable strict parallel safe as $$
begin
    return (
        select array_agg(row(
                   nullif(split_part(p, ';', 1), '*'), nullif(split_part(p, ';', 2), '*'),
                   nullif(split_part(p, ';', 3), '*'), nullif(split_part(p, ';', 4), '*'),
                   nullif(split_part(p, ';', 5), ''))::core.reach)
          from string_to_table(products, '|') as p);
end $$;

-- Whether a row lies in one of the products; not called where there are none beyond the first. Of its cost the planner
-- charges every row: so much that it goes on taking indexes as it did when the policies compared arrays with a cast.
create function core.reached(
    products core.reach[], class text, region bigint, site bigint, channel bigint, account bigint
) returns boolean language plpgsql immutable strict parallel safe cost 40 as $$
declare
    product core.reach;
begin
    foreach product in array products loop
        if (region = any (product.regions)) is not false and (site = any (product.sites)) is not false
           and (channel = any (product.channels)) is not false and (account = any (product.accounts)) is not false
           and (class = any (product.classes)) is not false then
            return true;
        end if;
    end loop;
    return false;
end $$;

-- The text of one line of the setting, as an expression; empty or null where there is none.
create function ddl.scope_line(name text) returns text language sql immutable as $$
    select format('split_part(split_part(current_setting(''copilot.scope'', true), %s, 2), E''\n'', 1)', name)
$$;

-- The policy's condition for rows of one class, or of many where it is null. The setting is read in scalar subselects, so
-- that it is evaluated once per query. Nearly everybody has one product for a class: it is compared inline, and what lies
-- beyond it is looked at for those who have more. Without a setting every array is empty and nothing is in it; only a
-- plain * makes the array null, of which a label is not found missing.
create function ddl.row_condition(class text) returns text language plpgsql immutable as $$
declare
    grp text := case when class is null then '''1''' else ddl.scope_line(format('E''\nmay_%s=''', class)) end;
    first text := ddl.scope_line(format('E''\nreach_'' || %s || ''=''', grp));
    beyond text := ddl.scope_line(case when class is null then 'E''\nrest='''
                                       else format('E''\nmore_'' || %s || ''=''', grp) end);
    inline text;
begin
    select string_agg(format($label$
            (%I = any ((select nullif(coalesce(nullif(split_part(%s, ';', %s), ''), '{}'), '*')::bigint[])::bigint[]))
            is not false$label$, label, first, place), ' and ' order by place)
      into inline
      from unnest(array['label_region', 'label_site', 'label_channel', 'label_account']) with ordinality as l (label, place);
    inline := format('((select %s = ''*;*;*;*'') or (%s))', first, inline);
    if class is null then
        inline := format('(record_class = any ((select string_to_array(%s, '','')::text[])::text[]) and %s)',
            ddl.scope_line('E''\nclasses='''), inline);
    end if;
    return format('%s or core.reached((select core.unpacked(nullif(%s, ''''))), record_class, label_region, label_site,'
        ' label_channel, label_account)', inline, beyond);
end $$;

-- The record class that a table holds by its check; null where it holds many.
create function ddl.class_of(target regclass) returns text language sql stable as $$
    select substring(pg_get_constraintdef(oid) from '^CHECK \(\(record_class = ''([a-z_]+)''::text\)\)$')
      from pg_constraint
     where conrelid = target and contype = 'c' and convalidated
       and pg_get_constraintdef(oid) like 'CHECK ((record_class = %'
$$;

-- As before, with the condition of the class that the table holds. A history holds the class of its table, and a check
-- says so from now on: a policy that does not look at the class must not stand over rows of another one.
create or replace procedure ddl.guard_rows(target regclass) language plpgsql as $$
declare
    class text := ddl.class_of(target);
    name text := (select relname from pg_class where oid = target and relnamespace = 'hist'::regnamespace);
begin
    if class is null and name is not null then
        class := ddl.class_of(format('biz.%I', name)::regclass);
        execute format('alter table %s add constraint %I check (record_class = %L)', target, name || '_class', class);
    end if;
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy scope on %s for select to copilot_app using (%s)', target, ddl.row_condition(class));
    execute format('create policy owner on %s to copilot_owner using (true) with check (true)', target);
    execute format('grant select on %s to copilot_app', target);
end $$;

do $$
declare
    target regclass;
begin
    for target in select polrelid from pg_policy where polname = 'scope' order by polrelid::regclass::text loop
        execute format('drop policy scope on %s', target);
        execute format('drop policy owner on %s', target);
        call ddl.guard_rows(target);
    end loop;
end $$;
