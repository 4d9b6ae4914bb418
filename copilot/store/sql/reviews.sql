-- name: open_review
-- A review of an answer in one of one's own conversations; none where the answer is not there. An open one is kept.
with own as (
    select t.audit_id, c.id
      from state.turn t
      join state.conversation c on c.id = t.conversation_id
     where c.id = %(conversation)s and c.subject = %(subject)s and t.audit_id = %(audit_id)s
     limit 1
)
insert into state.review (subject, conversation, audit_id, words, opened_at)
select %(subject)s, own.id, own.audit_id, %(words)s, %(now)s
  from own
on conflict (audit_id, subject) where status = 'open' do nothing
returning number

-- name: own_review
-- The newest review of an answer that a person asked for themselves.
select number
  from state.review
 where subject = %(subject)s and conversation = %(conversation)s and audit_id = %(audit_id)s
 order by number desc
 limit 1

-- name: open_reviews
-- Open reviews with the trace of the answer, oldest first: references and decisions, no value.
select r.number, r.subject, r.conversation, r.audit_id, r.words, r.opened_at, r.status,
       e.at, e.masked_question, e.kind, e.verdict, e.reason, e.plan, e.records, e.claims
  from state.review r
  left join audit.entry e on e.audit_id = r.audit_id
 where r.status = 'open'
 order by r.number
 limit %(limit)s

-- name: close_review
-- Close one that is open.
update state.review
   set status = 'closed', closed_at = %(now)s, closed_by = %(by)s, note = %(note)s
 where number = %(number)s and status = 'open'
returning number
