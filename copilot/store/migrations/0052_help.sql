-- What models were asked for an answer: prompts, models, attempts, and why what they said was refused. Null for an answer
-- without them, whose row is hashed as before.
alter table audit.entry add column help jsonb;
