-- name: prompt_head
-- The change of templates that came last.
select sequence, kind, id, version, sha256, author, approver, why, until, label, roles, share, suite, signed_at, previous,
       signature
  from governance.prompt_change order by sequence desc limit 1

-- name: prompt_changes
-- All changes of templates, the oldest first.
select sequence, kind, id, version, sha256, author, approver, why, until, label, roles, share, suite, signed_at, previous,
       signature
  from governance.prompt_change order by sequence

-- name: prompt_texts
-- Every template that was submitted here.
select id, version, sha256, author, why, text, submitted_at, signature from governance.prompt_text order by id, version

-- name: put_prompt_text
-- The next version of a template; nothing where somebody else was faster.
insert into governance.prompt_text (id, version, sha256, author, why, text, submitted_at, signature)
values (%(id)s, %(version)s, %(sha256)s, %(author)s, %(why)s, %(text)s, %(submitted_at)s, %(signature)s)
on conflict do nothing returning version

-- name: put_prompt_change
-- What comes into force; nothing where something else did since.
insert into governance.prompt_change (sequence, kind, id, version, sha256, author, approver, why, until, label, roles,
                                      share, suite, signed_at, previous, signature)
values (%(sequence)s, %(kind)s, %(id)s, %(version)s, %(sha256)s, %(author)s, %(approver)s, %(why)s, %(until)s, %(label)s,
        %(roles)s, %(share)s, %(suite)s, %(signed_at)s, %(previous)s, %(signature)s)
on conflict do nothing returning sequence
