-- name: erasures_applied
-- The erasures that were brought about in this database.
select id from directory.erasure

-- name: erasures_on_record
-- The erasures that the audit has, as the list had them.
select plan from audit.entry where kind = 'erasure' order by id

-- name: erasure_subjects
-- Everybody of whom something may be kept.
select subject from directory.person
union select subject from directory.log
union select subject from state.conversation
union select subject from state.vault
union select subject from state.feedback
union select subject from state.review
union select subject from audit.entry

-- name: erasure_known
-- What is known of somebody: nothing for one of whom nothing is. `kept` is whether an erasure would find anything, and
-- `latest` when the last of it was written.
select exists (select from audit.entry where subject = %(subject)s)
       or exists (select from directory.log where subject = %(subject)s)
       or exists (select from directory.person where subject = %(subject)s) or kept.latest is not null as known,
       kept.latest is not null or exists (select from directory.person where subject = %(subject)s and not erased) as kept,
       kept.latest
  from (select greatest(
            (select max(touched_at) from state.conversation where subject = %(subject)s),
            (select max(kept_at) from state.vault where subject = %(subject)s),
            (select max(given_at) from state.feedback where subject = %(subject)s),
            (select max(opened_at) from state.review where subject = %(subject)s and (words <> '' or note <> ''))
        ) as latest) kept

-- name: erasure_keys
-- Every key that something of a person was ever sealed under by itself.
select distinct key_id from audit.blob where starts_with(key_id, %(name)s)

-- name: erase_conversations
-- With their turns; of a moment or before it, where one is given.
with gone as (
    delete from state.conversation
     where subject = %(subject)s and (%(until)s::timestamptz is null or started_at <= %(until)s)
    returning turns
)
select count(*) as conversations, coalesce(sum(turns), 0) as turns from gone

-- name: erase_vaults
-- Those whose conversation is not there.
delete from state.vault v
 where v.subject = %(subject)s and not exists (select from state.conversation c where c.id = v.conversation_id)

-- name: erase_feedback
-- Of answers that are in no conversation any more.
delete from state.feedback f
 where f.subject = %(subject)s
   and not exists (select from state.turn t join state.conversation c on c.id = t.conversation_id
                    where t.audit_id = f.audit_id and c.subject = f.subject)

-- name: erase_review_words
-- A complaint stays as one about an answer, without what was said.
update state.review set words = '', note = case when note is not null then '' end
 where subject = %(subject)s and (words <> '' or note <> '')
   and (%(until)s::timestamptz is null or opened_at <= %(until)s)

-- name: erase_sessions
delete from directory.session where subject = %(subject)s

-- name: erase_identities
delete from directory.identity where subject = %(subject)s

-- name: erase_service_token
delete from directory.service_token where subject = %(subject)s

-- name: erase_grants
update directory.grant set valid_to = greatest(valid_from, %(now)s)
 where subject = %(subject)s and (valid_to is null or valid_to > %(now)s)

-- name: erase_delegations
update directory.delegation set valid_to = greatest(valid_from, %(now)s)
 where %(subject)s in (giver, taker) and valid_to > %(now)s

-- name: erase_logged_name
update directory.log set told = told - 'name' where subject = %(subject)s and told ? 'name'

-- name: erase_person
-- The subject stays, so that whoever comes by that name is refused.
insert into directory.person (subject, name, disabled, erased) values (%(subject)s, %(name)s, true, true)
on conflict (subject) do update
   set name = excluded.name, home_region = null, disabled = true, erased = true

-- name: keep_erasure
insert into directory.erasure (id, applied_at) values (%(id)s, %(now)s) on conflict do nothing
