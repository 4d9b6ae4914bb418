-- name: person_by_subject
select subject, name, disabled, service, demo from directory.person where subject = %(subject)s

-- name: list_directory
-- Everybody, with the grants in force at a moment in the order given.
select p.subject, p.name, p.disabled, p.service,
       (select coalesce(json_agg(json_build_object('role', g.role, 'regions', g.regions, 'sites', g.sites,
                                                   'channels', g.channels, 'accounts', g.accounts,
                                                   'classes', g.classes) order by g.id), '[]')
          from directory.grant g
         where g.subject = p.subject and g.valid_from <= %(now)s and (g.valid_to is null or %(now)s < g.valid_to)
       ) as grants
  from directory.person p
 order by p.subject

-- name: add_directory_person
insert into directory.person (subject, name, home_region, demo, service)
values (%(subject)s, %(name)s, %(home_region)s, %(demo)s, %(service)s)
on conflict do nothing
returning subject

-- name: set_disabled
-- Whoever was erased and is let in again is not erased any more.
update directory.person set disabled = %(disabled)s, erased = erased and %(disabled)s
 where subject = %(subject)s and disabled <> %(disabled)s
returning subject

-- name: rename_person
update directory.person set name = %(name)s where subject = %(subject)s

-- name: end_sessions_of
-- Whatever somebody is signed in as, ends.
update directory.session set ended_at = %(now)s where subject = %(subject)s and ended_at is null

-- name: grants_of
-- Grants of one person, or of all, with those that are over.
select id, subject, role, regions, sites, channels, accounts, classes, valid_from, valid_to
  from directory.grant
 where %(subject)s::text is null or subject = %(subject)s
 order by subject, id

-- name: add_grant
-- One more grant; nothing where the same one holds at some of the same time.
insert into directory.grant (subject, role, regions, sites, channels, accounts, classes, valid_from, valid_to)
select %(subject)s, %(role)s, %(regions)s, %(sites)s, %(channels)s, %(accounts)s, %(classes)s, %(first)s, %(last)s
 where not exists (
    select from directory.grant g
     where g.subject = %(subject)s and g.role = %(role)s
       and g.regions is not distinct from %(regions)s::bigint[] and g.sites is not distinct from %(sites)s::bigint[]
       and g.channels is not distinct from %(channels)s::bigint[]
       and g.accounts is not distinct from %(accounts)s::bigint[]
       and g.classes is not distinct from %(classes)s::text[]
       and tstzrange(g.valid_from, g.valid_to) && tstzrange(%(first)s, %(last)s))
returning id

-- name: end_grant
-- A grant ends at a moment before its own end; one that has not begun by then never does.
update directory.grant set valid_to = greatest(valid_from, %(last)s)
 where id = %(id)s and (valid_to is null or valid_to > %(last)s)
returning subject, role, valid_to

-- name: delegations_of
-- Delegations to or by one person, or all, with those that are over.
select id, giver, taker, role, valid_from, valid_to
  from directory.delegation
 where %(subject)s::text is null or %(subject)s in (giver, taker)
 order by id

-- name: holds_role
-- Whether somebody has a grant of a role that is not over.
select 1 as found from directory.grant
 where subject = %(subject)s and role = %(role)s and (valid_to is null or valid_to > %(now)s) limit 1

-- name: add_delegation
-- One more delegation; nothing where the same one holds at some of the same time.
insert into directory.delegation (giver, taker, role, valid_from, valid_to)
select %(giver)s, %(taker)s, %(role)s, %(first)s, %(last)s
 where not exists (
    select from directory.delegation d
     where d.giver = %(giver)s and d.taker = %(taker)s and d.role = %(role)s
       and tstzrange(d.valid_from, d.valid_to) && tstzrange(%(first)s, %(last)s))
returning id

-- name: end_delegation
update directory.delegation set valid_to = greatest(valid_from, %(last)s)
 where id = %(id)s and valid_to > %(last)s
returning giver, taker, role, valid_to

-- name: put_service_token
-- A service account has one token: a new one takes the place of the one before.
insert into directory.service_token (hash, subject, issued_at, ends_at) values (%(hash)s, %(subject)s, %(now)s, %(last)s)
on conflict (subject) do update set hash = excluded.hash, issued_at = excluded.issued_at, ends_at = excluded.ends_at

-- name: remove_service_token
delete from directory.service_token where subject = %(subject)s

-- name: add_directory_log
insert into directory.log (at, operator, action, subject, told)
values (%(now)s, %(operator)s, %(action)s, %(subject)s, %(told)s)

-- name: directory_log
select at, operator, action, subject, told from directory.log
 where %(subject)s::text is null or subject = %(subject)s
 order by id

-- name: customers_by_number
-- The accounts that customer numbers of ours stand for.
select number, label_account as account from biz.customer where number = any (%(numbers)s)
