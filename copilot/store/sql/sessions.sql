-- name: put_identity
-- What the provider said of an account just now; a person is made for one that is new. Nothing is kept of somebody who
-- was erased and not let in again.
with person as (
    insert into directory.person as p (subject, name) values (%(subject)s, coalesce(%(name)s::text, %(external)s))
    on conflict (subject) do update set name = coalesce(%(name)s::text, p.name) where not p.erased
    returning subject
)
insert into directory.identity as i (issuer, external, subject, groups, enabled, confirmed_at)
select %(issuer)s, %(external)s, subject, coalesce(%(groups)s::text[], '{}'), true, %(now)s from person
on conflict (issuer, external) do update
   set groups = coalesce(%(groups)s::text[], i.groups), enabled = true, confirmed_at = excluded.confirmed_at
 where i.confirmed_at <= excluded.confirmed_at
returning subject

-- name: identity_of
-- The person behind an account of the provider.
select subject, groups, enabled, confirmed_at from directory.identity
 where issuer = %(issuer)s and external = %(external)s

-- name: disable_identity
-- The provider no longer vouches for an account: all that goes on from it ends.
with told as (
    update directory.identity set enabled = false, groups = '{}', confirmed_at = %(now)s
     where issuer = %(issuer)s and external = %(external)s
)
update directory.session set ended_at = %(now)s
 where issuer = %(issuer)s and external = %(external)s and ended_at is null

-- name: start_session
insert into directory.session (hash, family, subject, issuer, external, provider_session, sealed, started_at,
                               issued_at, ends_at)
values (%(hash)s, %(family)s, %(subject)s, %(issuer)s, %(external)s, %(provider_session)s, %(sealed)s, %(now)s,
        %(now)s, %(ends)s)

-- name: session
-- A session by the hash of its secret, with what the provider last said of the account.
select s.family, s.subject, s.issuer, s.external, s.issued_at, s.replaced_at, i.confirmed_at
  from directory.session s
  join directory.identity i using (issuer, external)
  join directory.person p on p.subject = s.subject
 where s.hash = %(hash)s and s.ended_at is null and s.ends_at > %(now)s and i.enabled and not p.disabled

-- name: session_family
-- A session by its family, whatever its secret is by now.
select s.family, s.subject, s.issuer, s.external, s.issued_at, s.replaced_at, s.sealed, i.confirmed_at
  from directory.session s
  join directory.identity i using (issuer, external)
  join directory.person p on p.subject = s.subject
 where s.family = %(family)s and s.ended_at is null and s.ends_at > %(now)s and i.enabled and not p.disabled
 order by s.issued_at desc limit 1

-- name: begin_renewal
-- One of those who would renew a session at the same time; nothing for the others.
insert into directory.renewal as r (family, until) values (%(family)s, %(until)s)
on conflict (family) do update set until = excluded.until where r.until <= %(now)s
returning family

-- name: end_renewal
delete from directory.renewal where family = %(family)s and until = %(until)s

-- name: renewal
-- Whether a session is renewed just now.
select from directory.renewal where family = %(family)s and until > %(now)s

-- name: replace_session
-- Another secret for the same session; the one before is good for a moment more, for requests under way.
with before as (
    update directory.session set replaced_at = %(now)s where hash = %(hash)s and replaced_at is null
    returning family, subject, issuer, external, provider_session, sealed, started_at, ends_at
)
insert into directory.session (hash, family, subject, issuer, external, provider_session, sealed, started_at,
                               issued_at, ends_at)
select %(new)s, family, subject, issuer, external, provider_session, sealed, started_at, %(now)s, ends_at from before
returning hash

-- name: reseal_sessions
-- What the provider entrusted anew, for every secret of the session that is still good.
update directory.session set sealed = %(sealed)s
 where family = %(family)s and ended_at is null

-- name: end_session
-- A session with every secret it ever had.
update directory.session set ended_at = %(now)s where family = %(family)s and ended_at is null

-- name: leave_session
-- A session, and with it what went on from the same session at the provider: other tabs of the browser.
update directory.session s set ended_at = %(now)s
  from (select distinct family, issuer, external, provider_session from directory.session
         where family = %(family)s) as left_one
 where s.ended_at is null and s.issuer = left_one.issuer and s.external = left_one.external
   and (s.family = left_one.family or s.provider_session = left_one.provider_session)

-- name: forget_logouts
-- Logout tokens that are too old to be taken by now.
delete from directory.logout where ends_at < %(now)s

-- name: keep_logout
-- A logout token that is acted on now; nothing where one was before.
insert into directory.logout (issuer, token, ends_at) values (%(issuer)s, %(token)s, %(ends)s)
on conflict do nothing
returning token

-- name: end_provider_sessions
-- What the provider says has ended: one session of it, or all of an account.
update directory.session set ended_at = %(now)s
 where issuer = %(issuer)s and ended_at is null
   and (%(provider_session)s::text is null or provider_session = %(provider_session)s)
   and (%(external)s::text is null or external = %(external)s)
returning family

-- name: forget_old_sessions
with renewed as (delete from directory.renewal where until < %(before)s)
delete from directory.session where ends_at < %(before)s
