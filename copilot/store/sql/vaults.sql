-- name: vaults
-- The vaults of some of one's own conversations.
select conversation_id, revision, highest, key_id, nonce, ciphertext
  from state.vault
 where conversation_id = any(%(conversations)s) and subject = %(subject)s

-- name: keep_vault
-- Keep a vault as the next revision; nothing where another was faster.
insert into state.vault as v (conversation_id, subject, revision, highest, key_id, nonce, ciphertext, kept_at)
values (%(conversation)s, %(subject)s, %(revision)s, %(highest)s, %(key_id)s, %(nonce)s, %(ciphertext)s, %(now)s)
on conflict (conversation_id) do update
   set revision = excluded.revision, highest = excluded.highest, key_id = excluded.key_id, nonce = excluded.nonce,
       ciphertext = excluded.ciphertext, kept_at = excluded.kept_at
 where v.subject = excluded.subject and v.revision = excluded.revision - 1
returning revision

-- name: drop_vaults
-- Remove the vaults from before a moment whose conversation was never begun.
delete from state.vault v
 where v.kept_at < %(before)s
   and not exists (select from state.conversation c where c.id = v.conversation_id)
