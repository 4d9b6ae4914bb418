-- name: person_with_grants
-- An enabled person and the grants in force at a moment, oldest first: their own, and those of enabled people who gave
-- them the role for now. Only grants are given on, so nothing that was taken is.
select p.subject, p.name, p.home_region, p.service,
       (select coalesce(json_agg(json_build_object(
                   'role', g.role, 'regions', g.regions, 'sites', g.sites, 'channels', g.channels,
                   'accounts', g.accounts, 'classes', g.classes, 'giver', o.giver) order by o.giver nulls first, g.id), '[]')
          from (select p.subject as holder, null::text as giver, null::text as role
                union all
                select d.giver, d.giver, d.role
                  from directory.delegation d join directory.person a on a.subject = d.giver
                 where d.taker = p.subject and d.valid_from <= %(now)s and %(now)s < d.valid_to and not a.disabled
                   and not exists (select from directory.identity i where i.subject = d.giver and not i.enabled)
               ) o
          join directory.grant g on g.subject = o.holder and g.role = coalesce(o.role, g.role)
         where g.valid_from <= %(now)s and (g.valid_to is null or %(now)s < g.valid_to)
       ) as grants,
       (select coalesce(array_agg(distinct g), '{}')
          from directory.identity i cross join unnest(i.groups) as g
         where i.subject = p.subject and i.enabled and i.confirmed_at > %(since)s) as groups
  from directory.person p
 where p.subject = %(subject)s and not p.disabled

-- name: people_with_roles
-- Every enabled person with all roles of their own in force at a moment, and what others gave them that is not over.
select p.subject,
       (select coalesce(array_agg(distinct g.role order by g.role), '{}')
          from directory.grant g
         where g.subject = p.subject and g.valid_from <= %(now)s and (g.valid_to is null or %(now)s < g.valid_to)
       ) as roles,
       (select coalesce(json_agg(json_build_object('of', d.giver, 'role', d.role, 'first', d.valid_from,
                                                   'last', d.valid_to) order by d.id), '[]')
          from directory.delegation d where d.taker = p.subject and %(now)s < d.valid_to and d.valid_from < d.valid_to
       ) as delegations
  from directory.person p
 where not p.disabled
 order by p.subject

-- name: places
-- Every region, site and channel, and the region of each site.
select 'region' as kind, id, code, null::bigint as region_id from biz.region
union all select 'site', id, code, region_id from biz.site
union all select 'channel', id, code, null from biz.channel

-- name: sites_with_regions
-- Every site in scope with the code of its region.
select s.code, r.code as region from biz.site s left join biz.region r on r.id = s.region_id

-- name: demo_people
-- The people who sign in locally with the first of their grants in force at a moment.
select subject, name, role, regions, sites
  from (select distinct on (p.subject) p.subject, p.name, g.role, g.regions, g.sites, g.id
          from directory.person p join directory.grant g using (subject)
         where p.demo and not p.disabled and g.valid_from <= %(now)s and (g.valid_to is null or %(now)s < g.valid_to)
         order by p.subject, g.id) first
 order by id

-- name: service_by_token
-- Whose token this is; nothing for one that is over or was never given out.
select t.subject, t.ends_at from directory.service_token t where t.hash = %(hash)s

-- name: put_person
insert into directory.person (subject, name, home_region, demo)
values (%(subject)s, %(name)s, %(home_region)s, %(demo)s)
on conflict (subject) do update set name = excluded.name, home_region = excluded.home_region

-- name: put_grant
insert into directory.grant (subject, role, regions, sites, channels, accounts, valid_from)
select %(subject)s, %(role)s, %(regions)s, %(sites)s, %(channels)s, %(accounts)s, %(now)s
 where not exists (select 1 from directory.grant where subject = %(subject)s)
returning id

-- name: label_ids
-- Every region, site and channel in scope by code.
select 'region' as kind, id, code from biz.region
union all select 'site', id, code from biz.site
union all select 'channel', id, code from biz.channel
