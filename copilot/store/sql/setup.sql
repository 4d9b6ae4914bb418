-- name: row_security_faults
-- The first reason why row security would not hold for the role that answers questions, if there is one.
select fault from (
    select format('the role %I is a superuser or may bypass policies', rolname) as fault
      from pg_roles where rolname like 'copilot\_%' and (rolsuper or rolbypassrls)
    union all
    select format('the role copilot_app owns %s', c.oid::regclass)
      from pg_class c join pg_roles r on r.oid = c.relowner
     where r.rolname = 'copilot_app'
    union all
    select format('the role copilot_app is a member of %I', g.rolname)
      from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
     where r.rolname = 'copilot_app'
    union all
    select format('policies are not forced on %s', c.oid::regclass)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('biz', 'hist') and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
    union all
    select format('the role copilot_app may change %s', c.oid::regclass)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('biz', 'hist', 'core', 'directory') and c.relkind in ('r', 'p')
       and has_table_privilege('copilot_app', c.oid, 'insert, update, delete, truncate')
) as faults
limit 1

-- name: analyze
analyze

-- name: owner_may_create
-- Whether the connected role may make schemas here.
select has_database_privilege(current_database(), 'create')
