-- name: add_turn
-- The next turn of one's own conversation, which starts with its first; nothing where it is somebody else's.
with own as (
    insert into state.conversation as c (id, subject, channel, title, started_at, touched_at, turns)
    values (%(conversation)s, %(subject)s, %(channel)s, %(title)s, %(now)s, %(now)s, 1)
    on conflict (id) do update set touched_at = excluded.touched_at, turns = c.turns + 1
     where c.subject = excluded.subject
    returning id, turns
)
insert into state.turn (conversation_id, position, asked_at, question, plan, verdict, reason, audit_id)
select id, turns - 1, %(now)s, %(question)s, %(plan)s, %(verdict)s, %(reason)s, %(audit_id)s
  from own
returning position

-- name: own_conversations
-- A person's conversations, newest first.
select id, title, started_at, touched_at
  from state.conversation
 where subject = %(subject)s
 order by touched_at desc, id
 limit %(limit)s

-- name: own_conversation
-- Whether a conversation is this person's.
select id from state.conversation where id = %(conversation)s and subject = %(subject)s

-- name: own_turns
-- The last turns of one's own conversation, in order.
select position, asked_at, question, plan, verdict, audit_id
  from (select t.position, t.asked_at, t.question, t.plan, t.verdict, t.audit_id
          from state.turn t
          join state.conversation c on c.id = t.conversation_id
         where c.id = %(conversation)s and c.subject = %(subject)s
         order by t.position desc
         limit %(limit)s) newest
 order by position

-- name: own_turn
-- One turn of one's own conversation.
select t.position, t.asked_at, t.question, t.plan, t.verdict, t.audit_id
  from state.turn t
  join state.conversation c on c.id = t.conversation_id
 where c.id = %(conversation)s and c.subject = %(subject)s and t.position = %(position)s

-- name: forget_conversation
-- Remove one's own conversation, its turns and what was said about them.
with own as (
    delete from state.conversation
     where id = %(conversation)s and subject = %(subject)s
    returning id
), pseudonyms as (
    delete from state.vault v using own where v.conversation_id = own.id
), comments as (
    delete from state.feedback f
     using state.turn t, own
     where t.conversation_id = own.id and f.audit_id = t.audit_id and f.subject = %(subject)s
)
select id from own

-- name: rate_turn
-- A person's judgement of an answer in one of their own conversations; the last one counts.
insert into state.feedback (audit_id, subject, helpful, comment, given_at)
select t.audit_id, c.subject, %(helpful)s, %(comment)s, %(now)s
  from state.turn t
  join state.conversation c on c.id = t.conversation_id
 where t.audit_id = %(audit_id)s and c.subject = %(subject)s
 limit 1
on conflict (audit_id, subject)
do update set helpful = excluded.helpful, comment = excluded.comment, given_at = excluded.given_at
returning audit_id
