-- name: known_values
-- Each set of values of some fields, the records that hold it and since when one does; of rows that are so since a
-- moment.
select {columns}, (array_agg(id order by id desc))[1:{most}] as ids, max(valid_from) as since
  from {table}
 where valid_from >= %(since)s and num_nonnulls({columns}) > 0
 group by {columns}

-- name: known_numbers
-- The first and the last numbers of a field.
(select {column} as number from {table} where {column} is not null order by id limit {most})
union
(select {column} from {table} where {column} is not null order by id desc limit {most})

-- name: known_visible
-- Which of some records the scope shows.
select id from {table} where id = any(%(ids)s)

-- name: known_people
-- The names of those who use the copilot.
select distinct name from directory.person

-- name: known_stamp
-- What changes whenever anything was merged or a person was added.
select (select count(*) from core.batch where outcome = 'merged') as batches,
       (select max(finished_at) from core.batch where outcome = 'merged') as last,
       (select count(*) from directory.person) as people
