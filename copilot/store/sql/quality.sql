-- name: quality_scan
-- How many rows each check looks at and how many fail it, by place, in one pass over the source's rows. The offset keeps
-- each condition from being worked out once for every figure that it is part of.
select label_region, label_site, count(*)::int as rows, count(*) filter (where {any})::int as flawed, {figures}
  from (select t.label_region, t.label_site, {conditions} from {table} t where t.source_id = %(source)s offset 0) j
 group by label_region, label_site

-- name: quality_condition
{scope} as {looked_at}, {scope} and {fault} as {failed}

-- name: quality_condition_here
{scope} and {fault} as {failed}

-- name: quality_count
count(*) filter (where {holds})::int as {holds}

-- name: quality_scan_placed
-- The same of what this merge is about to write.
select {figures} from placed t where t.state in ('new', 'changed')

-- name: quality_figures
count(*) filter (where {scope}) as {rows}, count(*) filter (where {scope} and {fault}) as {failing}

-- name: quality_examples
select t.source_key from {table} t where t.source_id = %(source)s and {scope} and {fault} order by t.source_key limit 5

-- name: quality_examples_placed
select t.source_key from placed t
 where t.state in ('new', 'changed') and {scope} and {fault} order by t.source_key limit 1

-- name: quality_missing
{field} is null

-- name: quality_missing_text
coalesce({field}, '') = ''

-- name: quality_duplicate
(t.company, {field}) in (
    select d.company, d.{column} from {table} d
     where d.source_id = %(source)s and d.{column} is not null group by 1, 2 having count(*) > 1)

-- name: quality_duplicate_here
-- Given twice among rows that are seen by the same people: whoever sees the figure sees both.
(t.company, {field}, t.label_region, t.label_site) in (
    select d.company, d.{column}, d.label_region, d.label_site from {table} d
     where d.source_id = %(source)s and d.{column} is not null group by 1, 2, 3, 4 having count(*) > 1)

-- name: quality_impossible_date
({day} not between '1990-01-01' and %(horizon)s::date)

-- name: quality_in_future
({day} > %(tomorrow)s::date)

-- name: quality_before
({day} < {other})

-- name: quality_day
({field} at time zone 'UTC')::date

-- name: quality_negative
{field} < 0

-- name: quality_unknown_currency
{field} <> all(%(currencies)s)

-- name: quality_unknown_unit
({item}, {field}) not in (
    select i.id, i.base_unit from biz.item i where i.base_unit is not null
    union all select u.item_id, u.unit from biz.item_unit u where u.item_id is not null and u.unit is not null)

-- name: quality_orphan
t.id not in (select l.{parent} from {lines} l where l.{parent} is not null)

-- name: quality_duplicate_placed
-- With what stands and is not about to be replaced.
(t.company, {field}) in (
    select d.company, d.{column}
      from (select p.company, p.{column} from placed p
            union all
            select b.company, b.{column} from {table} b
             where b.source_id = %(source)s and b.id not in (select p.id from placed p)) d
     where d.{column} is not null group by 1, 2 having count(*) > 1)

-- name: quality_waiting
t.source_key in (select u.source_key from core.unresolved u
                  where u.source_id = %(source)s and u.entity = {entity} and u.field = {field})

-- name: quality_unresolved
{waiting} or {field} not in (select id from {target})

-- name: quality_exceeds
abs({field}) > abs({parts})

-- name: quality_unsettled
{field} <> 0 and {reference} in (select p.id from {parent} p where {codes})

-- name: quality_sum
abs({total} - ({parts})) > {rounding}

-- name: quality_sum_of_siblings
-- Only where there are any, all in the row's currency.
t.id in (
    select t.id
      from {table} t
      join (select s.{parent} as parent, sum(s.{column}) as summed, count(*) as many, min(s.currency) as lowest,
                   max(s.currency) as highest
              from {siblings} s where s.source_id = %(source)s group by 1) s on s.parent = {reference}
     where t.source_id = %(source)s and s.lowest = t.currency and s.highest = t.currency
       and abs({total} - s.summed - ({parts})) > 10000 * s.many)

-- name: quality_sum_of_lines
-- Only where every line has its net amount, and all in the header's currency: a sum of less says nothing.
t.id in (
    select a.id
      from {table} a
      join (select l.{line_parent} as parent, sum(p.{column}) as summed, count(*) as lines,
                   min(p.currency) as lowest, max(p.currency) as highest
              from {lines} l left join {prices} p on p.{line} = l.id
             group by 1 having bool_and(p.{column} is not null)) s on s.parent = a.{parent}
     where a.source_id = %(source)s and a.currency = s.lowest and a.currency = s.highest
       and abs(a.{column} - s.summed) > 10000 * s.lines)

-- name: quality_judged
-- The checks that this source has a result of, with how many rows failed the last time.
select distinct on (check_id) check_id, failing from core.quality
 where source_id = %(source)s order by check_id, batch_id desc

-- name: quality_waiting_rows
-- How many rows of an entity name a record in a field that is not here.
select entity, field, count(*)::int as rows from core.unresolved where source_id = %(source)s group by 1, 2

-- name: quality_keep
insert into core.quality (batch_id, source_id, entity, check_id, rows, failing, example_keys, checked_at)
values (%(batch)s, %(source)s, %(entity)s, %(check)s, %(rows)s, %(failing)s, %(keys)s, %(now)s)

-- name: quality_forget
-- Older than the newest 100 batches, but never the last word on a check.
delete from core.quality q
 where q.source_id = %(source)s
   and q.batch_id <= (select distinct b.batch_id from core.quality b where b.source_id = %(source)s
                       order by b.batch_id desc offset 100 limit 1)
   and exists (select from core.quality n
                where n.source_id = q.source_id and n.check_id = q.check_id and n.batch_id > q.batch_id)

-- name: quality_results
-- Newest first, `limit` per check.
select check_id, entity, rows, failing, example_keys, checked_at, batch_id
  from (select q.*, row_number() over (partition by check_id order by batch_id desc) as place
          from core.quality q where source_id = %(source)s) ranked
 where place <= %(limit)s
 order by entity, check_id, batch_id desc

-- name: quality_quarantine
select entity, reason, count(*) as rows from core.quarantine
 where source_id = %(source)s and (%(entity)s::text is null or entity = %(entity)s) group by 1, 2 order by 1, 2

-- name: quality_settings
-- Every check reads whole tables, some of which were filled a moment ago and have no figures yet: nothing to loop over.
select set_config('work_mem', '64MB', true), set_config('synchronous_commit', 'off', true),
       set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)

-- name: quality_note_batch
-- What was stopped, or let through and by whom.
update core.batch set stopped = %(stopped)s, accepted_by = %(by)s, accepted_why = %(why)s where id = %(batch)s

-- name: quality_loads
-- The last loads that the checks stopped, or that somebody let through.
select id, started_at, outcome, stopped, accepted_by, accepted_why from core.batch
 where source_id = %(source)s and stopped <> '[]' order by id desc limit %(limit)s
