-- name: policy_head
-- What came into force last.
select sequence, kind, version, approver, why, signed_at, previous, signature
  from governance.policy_change order by sequence desc limit 1

-- name: policy_changes
-- All that came into force, the oldest first.
select sequence, kind, version, approver, why, signed_at, previous, signature
  from governance.policy_change order by sequence

-- name: policy_versions
-- Every version without its documents, the oldest first.
select number, digest, author, why, submitted_at from governance.policy_version order by number

-- name: policy_version
select number, digest, documents, author, why, submitted_at, signature
  from governance.policy_version where number = %(number)s

-- name: put_policy_version
-- The next version; nothing where somebody else was faster.
insert into governance.policy_version (number, digest, documents, author, why, submitted_at, signature)
values (%(number)s, %(digest)s, %(documents)s, %(author)s, %(why)s, %(submitted_at)s, %(signature)s)
on conflict do nothing returning number

-- name: put_policy_change
-- What comes into force; nothing where something else did since.
insert into governance.policy_change (sequence, kind, version, approver, why, signed_at, previous, signature)
values (%(sequence)s, %(kind)s, %(version)s, %(approver)s, %(why)s, %(signed_at)s, %(previous)s, %(signature)s)
on conflict do nothing returning sequence
