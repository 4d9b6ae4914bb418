-- name: row_security_faults
-- The first and deepest reason why row security would not hold for the role that answers questions, if there is one.
select fault from (
    select 1 as depth, format('the role %I is a superuser or may bypass policies', rolname) as fault
      from pg_roles where rolname like 'copilot\_%' and (rolsuper or rolbypassrls)
    union all
    select 2 as depth, format('the role copilot_app owns %s', c.oid::regclass)
      from pg_class c join pg_roles r on r.oid = c.relowner
     where r.rolname = 'copilot_app' and c.relkind not in ('i', 'I')
    union all
    select 3 as depth, format('the role copilot_app is a member of %I', g.rolname)
      from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
     where r.rolname = 'copilot_app'
    union all
    select 4 as depth, format('policies are not forced on %s', c.oid::regclass)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('biz', 'hist') and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
    union all
    select 5 as depth, format('the role copilot_app may change %s', c.oid::regclass)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('biz', 'hist', 'core', 'directory') and c.relkind in ('r', 'p')
       and has_table_privilege('copilot_app', c.oid, 'insert, update, delete, truncate')
) as faults
order by depth, fault
limit 1

-- name: analyze
analyze

-- name: owner_may_create
-- Whether the connected role may make schemas here.
select has_database_privilege(current_database(), 'create')

-- name: jobs_schema
-- The queue's own schema, and which version of the library's tables is in it.
create schema if not exists jobs;
create table if not exists jobs.installed (version text not null, single boolean primary key default true check (single))

-- name: jobs_installed
select version from jobs.installed

-- name: jobs_keep_version
insert into jobs.installed (version) values (%(version)s) on conflict (single) do update set version = excluded.version

-- name: jobs_rights
-- The queue is for the jobs role alone, which has no right anywhere else.
revoke all on all functions in schema jobs from public;
grant usage on schema jobs to copilot_jobs;
grant select, insert, update, delete on all tables in schema jobs to copilot_jobs;
revoke insert, update, delete on jobs.installed from copilot_jobs;
grant usage on all sequences in schema jobs to copilot_jobs;
grant execute on all functions in schema jobs to copilot_jobs
