-- name: take_allowance
-- Set aside a part of one allowance of a day; nothing where less is left of it.
insert into state.model_use as u (day, per, name, tokens, micros)
values (%(day)s, %(per)s, %(name)s, %(tokens)s, %(micros)s)
on conflict (day, per, name) do update
   set tokens = u.tokens + excluded.tokens, micros = u.micros + excluded.micros
 where (%(most_tokens)s::bigint is null or u.tokens + excluded.tokens <= %(most_tokens)s::bigint)
   and (%(most_micros)s::bigint is null or u.micros + excluded.micros <= %(most_micros)s::bigint)
returning tokens

-- name: settle_allowance
-- Correct what was set aside of an allowance by what was used less or more.
update state.model_use
   set tokens = greatest(0, tokens + %(tokens)s), micros = greatest(0, micros + %(micros)s)
 where day = %(day)s and per = %(per)s and name = %(name)s

-- name: used_allowance
-- What is used of one allowance of a day, or set aside.
select tokens, micros from state.model_use where day = %(day)s and per = %(per)s and name = %(name)s

-- name: drop_model_use
-- Forget what was used on days long ago.
delete from state.model_use where day < %(before)s
