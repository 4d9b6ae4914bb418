-- name: unguarded_tables
-- As the role that answers questions: guarded tables that hold it to no policy, and settings that a connection of it
-- begins with.
select format('policies do not hold on %s', c.oid::regclass) as fault
  from pg_class c
 where c.relkind in ('r', 'p') and (c.relnamespace in ('biz'::regnamespace, 'hist'::regnamespace)
                                    or c.oid in ('core.canary'::regclass, 'core.canary_of_many'::regclass))
   and not row_security_active(c.oid)
union all
select format('the role copilot_app begins with the setting %s', name)
  from unnest(array['copilot.scope', 'copilot.classes']) as name
 where current_setting(name, true) <> ''
order by fault
limit 1

-- name: seen_canaries
select array(select id from core.canary order by id) as one_class,
       array(select id from core.canary_of_many order by id) as many_classes

-- name: policy_functions
-- What the policies call, to be compared with what the migrations say.
select proname as name, prosrc as source, prosecdef or proconfig is not null as altered
  from pg_proc
 where pronamespace = 'core'::regnamespace and proname = any (%(names)s)

-- name: policy_faults
-- The first table whose policy for the role that answers questions is not the one that the canaries were just tried
-- behind, for the class that the table holds by its check and that the semantic model gives it. A history holds the
-- class of its table. Then what would lend that role other eyes; what extensions bring knows nothing of our tables.
with guarded as (
    select c.oid, c.relname as name, meant.class as meant,
           (select substring(pg_get_constraintdef(k.oid) from '^CHECK \(\(record_class = ''([a-z_]+)''::text\)\)$')
              from pg_constraint k
              join pg_attribute a on a.attrelid = c.oid and a.attname = 'record_class'
             where k.conrelid = c.oid and k.contype = 'c' and k.convalidated and k.conkey = array[a.attnum]
               and pg_get_constraintdef(k.oid) like 'CHECK ((record_class = %%') as class
      from pg_class c left join jsonb_each_text(%(classes)s::jsonb) as meant (name, class) on meant.name = c.relname
     where c.relkind in ('r', 'p') and c.relnamespace in ('biz'::regnamespace, 'hist'::regnamespace)
), policies as (
    select polrelid as oid, polpermissive and polcmd = 'r' as plain, pg_get_expr(polqual, polrelid) as condition
      from pg_policy
     where polcmd in ('r', '*') and ('copilot_app'::regrole = any (polroles) or 0 = any (polroles))
), tried as (
    select (select condition from policies where oid = 'core.canary'::regclass) as one_class,
           (select condition from policies where oid = 'core.canary_of_many'::regclass) as many_classes
), judged as (
    select g.oid, g.class, g.meant, count(p.oid) as policies, bool_and(p.plain) as plain,
           min(p.condition) as condition,
           case when g.class is null then min(t.many_classes)
                else replace(min(t.one_class), quote_literal('canary'), quote_literal(g.class)) end as right_one
      from guarded g left join policies p using (oid) cross join tried t
     group by g.oid, g.class, g.meant
)
select fault from (
    select 1 as depth, format('%%s has %%s policies for the role copilot_app instead of one', oid::regclass, policies) as fault
      from judged where policies <> 1
    union all
    select 2, format('the policy of %%s is another one than the migrations made', oid::regclass)
      from judged where policies = 1 and (not plain or condition is distinct from right_one)
    union all
    select 3, format('%%s does not hold the record class of its entity alone', oid::regclass)
      from judged where class is distinct from meant and oid <> 'biz.lookup'::regclass
    union all
    select 4, format('the view %%s shows copilot_app what its owner sees', c.oid::regclass)
      from pg_class c
     where c.relkind in ('v', 'm', 'f') and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
       and has_any_column_privilege('copilot_app', c.oid, 'select')
       and (c.relkind <> 'v' or not coalesce(c.reloptions @> '{security_invoker=true}', false))
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    union all
    select 5, format('the function %%s runs for copilot_app as its owner', p.oid::regprocedure)
      from pg_proc p
     where p.prosecdef and has_function_privilege('copilot_app', p.oid, 'execute')
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
) as faults
order by depth, fault
limit 1
