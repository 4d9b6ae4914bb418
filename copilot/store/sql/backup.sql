-- name: backup_facts
-- Who is connected, what the schema is, and what row security would hide from them: such tables would be dumped empty.
select (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as unhindered,
       (select array_agg(name order by name) from public.schema_migration) as migrations,
       (select array_agg(c.oid::regclass::text order by 1)
          from pg_class c
         where c.relrowsecurity
           and not exists (select from pg_policy p
                            where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('*', 'r')
                              and pg_get_expr(p.polqual, p.polrelid) = 'true'
                              and (select oid from pg_roles where rolname = current_user) = any (p.polroles))
       ) as hidden

-- name: other_sessions
-- How many others use a database; the server's own vacuuming gives way by itself.
select count(*) as others
  from pg_stat_activity
 where datname = %(database)s and pid <> pg_backend_pid() and backend_type is distinct from 'autovacuum worker'

-- name: database_exists
-- Whether there is a database of this name.
select 1 as found from pg_database where datname = %(database)s
