-- name: audit_head
-- The head of the chain, and the lock to append to it until the transaction ends.
select id, hash from audit.chain_head()

-- name: audit_append
-- Rows and their sealed blobs, whole or not at all.
with entries as (
    insert into audit.entry
    select (jsonb_populate_recordset(null::audit.entry, %(entries)s)).*
)
insert into audit.blob
select (jsonb_populate_recordset(null::audit.blob, %(blobs)s)).*

-- name: audit_commit
-- The rows are on the disk when this returns.
commit

-- name: audit_snapshot
-- Verifying reads one moment of the database.
set transaction isolation level repeatable read, read only

-- name: audit_rows
-- The whole chain in order; JSON as text, to be read by the same rules as it was written.
select id, audit_id, at, subject, channel, conversation, masked_question, kind, plan::text as plan,
       records::text as records, verdict, reason, engine, claims::text as claims, policy::text as policy,
       sealed::text as sealed, elapsed_ms, help::text as help, prev_hash, hash, stamp
  from audit.entry
 order by id

-- name: audit_stretch
-- One row by what its answer shows, with the rows before and after it; JSON as text, as in `audit_rows`.
select e.id, e.audit_id, e.at, e.subject, e.channel, e.conversation, e.masked_question, e.kind, e.plan::text as plan,
       e.records::text as records, e.verdict, e.reason, e.engine, e.claims::text as claims, e.policy::text as policy,
       e.sealed::text as sealed, e.elapsed_ms, e.help::text as help, e.prev_hash, e.hash, e.stamp
  from audit.entry asked
  join audit.entry e on e.id between asked.id - 1 and asked.id + 1
 where asked.audit_id = %(audit_id)s
 order by e.id

-- name: audit_blobs
-- The blobs of a stretch of the chain.
select entry_id, kind, key_id, nonce, ciphertext
  from audit.blob
 where entry_id between %(first)s and %(last)s
 order by entry_id, kind

-- name: audit_stray_blobs
-- Blobs that belong to no row.
select b.entry_id, b.kind
  from audit.blob b
 where not exists (select from audit.entry e where e.id = b.entry_id)
 order by b.entry_id, b.kind
 limit 200

-- name: audit_sealed
-- The blobs of one answer.
select e.audit_id, b.kind, b.key_id, b.nonce, b.ciphertext
  from audit.entry e
  join audit.blob b on b.entry_id = e.id
 where e.audit_id = %(audit_id)s

-- name: audit_last
-- The head of the chain as a restored database has it.
select id, hash from audit.entry order by id desc limit 1

-- name: audit_decisions
-- What was decided of the last questions that somebody asked, the newest first.
select audit_id, subject, policy, records, claims from audit.entry
 where kind is null or kind not in ('sign_in', 'erasure') order by id desc limit %(last)s
