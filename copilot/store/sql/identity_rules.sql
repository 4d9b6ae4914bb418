-- name: identity_standing
-- Whether anything has been decided about an entity that is not simply a record's own row.
select exists (select from core.identity where entity = %(entity)s and decided_by <> 'first') as joined,
       exists (select from core.identity where entity = %(entity)s and source_id = %(source)s and decided_by <> 'first')
    or exists (select from core.identity_doubt where entity = %(entity)s and source_id = %(source)s) as joined_here,
       exists (select from core.identity_keyed where entity = %(entity)s) as kept,
       exists (select from core.identity_keyed where entity = %(entity)s and source_id = %(source)s) as keyed

-- name: identity_forget_keys
-- No source recognises records of this entity any more.
with unkeyed as (delete from core.identity_key where entity = %(entity)s)
delete from core.identity_keyed where entity = %(entity)s

-- name: identity_keys_of_rows
-- The keys of sources that had none so far, from the rows that are theirs.
insert into core.identity_key (entity, source_id, source_key, rule, key)
select %(entity)s, t.source_id, t.source_key, k.rule, k.key
  from {table} t cross join lateral (values {keys}) as k (rule, key)
 where t.source_id not in (select source_id from core.identity_keyed where entity = %(entity)s) and k.key <> ''
on conflict (entity, source_id, source_key, rule) do nothing

-- name: identity_note_keyed
insert into core.identity_keyed (entity, source_id)
select %(entity)s, id from core.source on conflict do nothing

-- name: identity_keys_of_staged
with fresh as (
    select distinct on (source_key) * from {stage} where batch_id = %(batch)s
     order by source_key, changed_at desc nulls last, arrival desc
), keyed as materialized (
    select t.source_key, k.rule, k.key from fresh t cross join lateral (values {keys}) as k (rule, key)
), emptied as (
    delete from core.identity_key i using keyed k
     where i.entity = %(entity)s and i.source_id = %(source)s and i.source_key = k.source_key and i.rule = k.rule
       and coalesce(k.key, '') = ''
)
insert into core.identity_key (entity, source_id, source_key, rule, key)
select %(entity)s, %(source)s, source_key, rule, key from keyed where key <> ''
on conflict (entity, source_id, source_key, rule) do update set key = excluded.key
 where core.identity_key.key <> excluded.key

-- name: identity_decisions
-- The decision in force about each pair.
select distinct on (source_id, source_key, other_source_id, other_key)
       source_id, source_key, other_source_id, other_key, verdict, decided_by, decided_at, reason
  from core.identity_decision where entity = %(entity)s
 order by source_id, source_key, other_source_id, other_key, id desc

-- name: identity_lock_decisions
select pg_advisory_xact_lock(7024)

-- name: identity_decide
insert into core.identity_decision
       (entity, source_id, source_key, other_source_id, other_key, verdict, decided_by, decided_at, reason)
values (%(entity)s, %(source)s, %(key)s, %(other_source)s, %(other_key)s, %(verdict)s, %(person)s, %(now)s, %(why)s)

-- name: identity_knows
-- Whether a source has, or lately had, a record of this key.
select exists (select from core.identity where entity = %(entity)s and source_id = %(source)s and source_key = %(key)s)
    or exists (select from core.identity_key
                where entity = %(entity)s and source_id = %(source)s and source_key = %(key)s)
    or exists (select from core.quarantine
                where entity = %(entity)s and source_id = %(source)s and source_key = %(key)s)
    or exists (select from {history} where source_id = %(source)s and source_key = %(key)s) as known

-- name: identity_map_targets
-- The row that a code of the label map means: that of the source that comes first, but of no key that is mapped itself.
select distinct on (t.{column}) t.{column} as code, t.id,
       case when t.source_id = %(source)s then t.source_key end as own_key
  from {table} t
 where t.{column} = any(%(codes)s) and not (t.source_id = %(source)s and t.source_key = any(%(keys)s))
 order by t.{column}, array_position(%(ranks)s::bigint[], t.source_id), t.source_key collate "C"

-- name: identity_expect_many
-- Every statement goes over all records, of tables that were filled a moment ago and have no figures yet: a plan that
-- takes them for a handful would loop for minutes.
select set_config('enable_nestloop', 'off', true)

-- name: identity_expect_few
select set_config('enable_nestloop', 'on', true)

-- name: identity_analyze_moved
analyze moved

-- name: identity_mine
-- The records of this source that live: where each stands now, and the row that is its own.
create temp table mine on commit drop as
select r.source_key, bool_or(r.staged) as staged, min(i.target_id) as old_id, min(own.id) as own_id
  from (select source_key, false as staged from core.identity where entity = %(entity)s and source_id = %(source)s
        union all
        select source_key, true from {stage} where batch_id = %(batch)s) r
  left join core.identity i
    on i.entity = %(entity)s and i.source_id = %(source)s and i.source_key = r.source_key
  left join {table} own on own.source_id = %(source)s and own.source_key = r.source_key
 where r.source_key <> all(%(faulty)s)
   and (not exists (select from stage.living_key where batch_id = %(batch)s and entity = %(entity)s)
        or r.source_key in (select source_key from stage.living_key
                             where batch_id = %(batch)s and entity = %(entity)s))
 group by r.source_key

-- name: identity_drop_keys
-- What lives no more has no keys.
delete from core.identity_key k
 where k.entity = %(entity)s and k.source_id = %(source)s
   and not exists (select from mine m where m.source_key = k.source_key)

-- name: identity_analyze_mine
analyze mine

-- name: identity_wants
-- Every row of ours that a rule finds for a record: one of a source that comes before this one.
create temp table want on commit drop as
select m.source_key, i.target_id, k.rule
  from mine m
  join core.identity_key k on k.entity = %(entity)s and k.source_id = %(source)s and k.source_key = m.source_key
                          and k.rule = any(%(rules)s)
  join core.identity_key o on o.entity = %(entity)s and o.rule = k.rule and o.key = k.key
                          and o.source_id = any(%(before)s)
  join core.identity i on i.entity = %(entity)s and i.source_id = o.source_id and i.source_key = o.source_key
{part_numbers}
union
select null, null, null where false

-- name: identity_wants_part_numbers
-- The record's number or GTIN is another number of one of our items.
union
select m.source_key, o.item_id, 'part_number'
  from mine m
  join core.identity_key k on k.entity = 'item' and k.source_id = %(source)s and k.source_key = m.source_key
  join (select a.item_id, f.rule, f.key
          from (select item_id, value from biz.item_alias where source_id = any(%(before)s)
                union
                select item_id, part_number from biz.supplier_item where source_id = any(%(before)s)) a
         cross join lateral (values ('number', core.number_key(a.value)), ('gtin', core.loose_key(a.value)))
               as f (rule, key)
         where f.key <> '') o
    on o.rule = k.rule and o.key = case k.rule when 'number' then k.key else ltrim(k.key, '0') end

-- name: identity_forbidden
-- Rows that a record is kept out of: some record of a source before this one is in it that a person keeps apart.
create temp table forbidden on commit drop as
with member as (
    select * from unnest(%(clusters)s::int[], %(sources)s::bigint[], %(keys)s::text[]) as m (cluster, source_id, key)
)
select distinct c.key as source_key, i.target_id
  from member c
  join unnest(%(apart)s::int[], %(from)s::int[]) as p (one, other) on p.one = c.cluster
  join member o on o.cluster = p.other and o.source_id = any(%(before)s)
  join core.identity i on i.entity = %(entity)s and i.source_id = o.source_id and i.source_key = o.key
 where c.source_id = %(source)s

-- name: identity_refuse_forbidden
delete from want w using forbidden f where f.source_key = w.source_key and f.target_id = w.target_id

-- name: identity_anchors
-- For each record that a person holds the same as others: the first of those that are here, itself perhaps.
create temp table anchor on commit drop as
with member as (
    select * from unnest(%(clusters)s::int[], %(sources)s::bigint[], %(keys)s::text[]) as m (cluster, source_id, key)
     where cluster in (select cluster from unnest(%(clusters)s::int[]) as cluster group by 1 having count(*) > 1)
)
select distinct on (m.source_key) m.source_key, a.source_id as anchor_source, a.key as anchor_key, i.target_id
  from mine m
  join member c on c.source_id = %(source)s and c.key = m.source_key
  join member a on a.cluster = c.cluster
  left join core.identity i on i.entity = %(entity)s and i.source_id = a.source_id and i.source_key = a.key
 where (a.source_id = any(%(before)s) and i.target_id is not null)
    or (a.source_id = %(source)s and a.key in (select source_key from mine))
 order by m.source_key, array_position(%(ranks)s::bigint[], a.source_id), a.key collate "C"

-- name: identity_settled
-- What no rule is asked about: a person said it, or the label map. `follow` is another record of the same source.
create temp table settled on commit drop as
select source_key, case when anchor_source <> %(source)s then target_id end as target_id,
       case when anchor_source = %(source)s then anchor_key end as follow, 'person' as decided_by
  from anchor where (anchor_source, anchor_key) <> (%(source)s, source_key)
union all
select m.source_key, case when p.follow is null then p.id end, p.follow, 'label_map'
  from unnest(%(map_keys)s::text[], %(map_ids)s::bigint[], %(map_follow)s::text[]) as p (key, id, follow)
  join mine m on m.source_key = p.key
 where not exists (select from forbidden f where f.source_key = m.source_key and f.target_id = p.id)
   and not exists (select from anchor a where a.source_key = m.source_key
                    and (p.follow is not null or (a.anchor_source, a.anchor_key) <> (%(source)s, a.source_key)))
   and (p.follow is null or p.follow in (select source_key from mine))

-- name: identity_clashes
-- Matches that another number contradicts: both have a GTIN, say, and none is the same.
create temp table clash on commit drop as
with ours as materialized (
    select w.source_key, w.target_id, k.rule, k.key
      from (select distinct source_key, target_id from want) w
      join core.identity_key k on k.entity = %(entity)s and k.source_id = %(source)s and k.source_key = w.source_key
                              and k.rule in ('gtin', 'tax_number')
), theirs as materialized (
    select i.target_id, o.rule, o.key
      from core.identity i
      join core.identity_key o on o.entity = %(entity)s and o.source_id = i.source_id and o.source_key = i.source_key
     where i.entity = %(entity)s and i.source_id = any(%(before)s)
)
select distinct o.source_key, o.target_id
  from ours o join theirs t on t.target_id = o.target_id and t.rule = o.rule
 group by o.source_key, o.target_id, o.rule, o.key
having bool_and(t.key <> o.key)
   and not (o.rule = 'gtin' and exists (
        select from biz.item_alias a
         where a.item_id = o.target_id and a.source_id = any(%(before)s)
           and core.loose_key(a.value) = ltrim(o.key, '0')))

-- name: identity_resolved
-- Where each record belongs: where a person or the label map says, where the rules agree and nothing speaks against it,
-- else a row of its own. No number at all: it has to be read first, or goes where `follow` goes.
create temp table resolved on commit drop as
with open as (
    select w.* from want w where not exists (select from settled d where d.source_key = w.source_key)
), taken as (
    select target_id from open group by target_id having count(distinct source_key) > 1
    union
    select target_id from settled where target_id is not null
), found as (
    select w.source_key, min(w.target_id) as target_id,
           (array_agg(w.rule order by array_position(%(rules)s::text[], w.rule)))[1] as rule,
           case when count(*) > count(distinct w.rule) then 'several'
                when count(distinct w.target_id) > 1 then 'different'
                when bool_or(t.target_id is not null) then 'contested'
                when bool_or(c.target_id is not null) then 'contradicted' end as doubt
      from open w
      left join taken t on t.target_id = w.target_id
      left join clash c on c.source_key = w.source_key and c.target_id = w.target_id
     group by w.source_key
)
select m.source_key, m.staged, m.old_id, m.own_id, d.follow, f.doubt,
       case when d.source_key is not null then d.target_id
            when f.target_id is not null and f.doubt is null then f.target_id
            when m.own_id is not null then m.own_id
            when m.staged then nextval({sequence}) end as id,
       case when d.source_key is not null then d.decided_by
            when f.target_id is not null and f.doubt is null then f.rule else 'first' end as decided_by
  from mine m
  left join settled d on d.source_key = m.source_key
  left join found f on f.source_key = m.source_key
 where m.staged or m.own_id is not null or %(keyed)s

-- name: identity_follow
update resolved r set id = t.id from resolved t where r.id is null and r.follow = t.source_key and t.id is not null

-- name: identity_forget_waiting
delete from core.unresolved where source_id = %(source)s and entity = %(entity)s and field = ''

-- name: identity_wait
-- Records that need a row of their own, but what they say is not at hand: they are asked for by name.
insert into core.unresolved (source_id, entity, source_key, field, target)
select %(source)s, %(entity)s, m.source_key, '', %(entity)s
  from mine m left join resolved r on r.source_key = m.source_key where r.id is null
returning source_key

-- name: identity_drop_waiting
delete from resolved where id is null

-- name: identity_hand_over
-- A row whose record leaves it, or joins one that comes before it there, goes on under the first of the others: where
-- one of them comes before this source, or is kept apart from some other record.
with other as (
    select r.own_id, r.id, i.source_id, i.source_key,
           i.source_id = any(%(before)s) and r.decided_by <> 'first' as earlier,
           r.id <> r.own_id and (i.source_id, i.source_key) in (
               select * from unnest(%(apart_sources)s::bigint[], %(apart_keys)s::text[])) as apart
      from resolved r
      join core.identity i on i.entity = %(entity)s and i.target_id = r.own_id and i.source_id <> %(source)s
     where r.own_id is not null
), heir as (
    select distinct on (own_id) own_id, source_id, source_key from other o
     where exists (select from other x where x.own_id = o.own_id and (x.earlier or x.apart))
     order by own_id, array_position(%(ranks)s::bigint[], source_id), source_key collate "C"
), handed as (
    update {table} t
       set source_id = h.source_id, source_key = h.source_key, valid_from = %(now)s, batch_id = %(batch)s
      from heir h where t.id = h.own_id
    returning t.source_id
)
delete from core.cursor c using handed h where c.source_id = h.source_id and c.entity = %(entity)s

-- name: identity_moved
-- Rows that are given up for another one, with everything that refers to them.
create temp table moved on commit drop as
select r.own_id as old_id, r.id as new_id from resolved r join {table} t on t.id = r.own_id and t.source_id = %(source)s
 where r.id <> r.own_id

-- name: identity_moved_ids
select array_agg(old_id) as old_ids, array_agg(distinct new_id) as new_ids from moved

-- name: identity_move_identities
update core.identity i set target_id = m.new_id from moved m
 where i.entity = %(entity)s and i.target_id = m.old_id and i.source_id <> %(source)s

-- name: identity_redecide
-- What was decided otherwise before; `referred` are those that left a row which others go on with.
with redecided as (
    update core.identity i set target_id = r.id, decided_by = r.decided_by from resolved r
     where i.entity = %(entity)s and i.source_id = %(source)s and i.source_key = r.source_key
       and (i.target_id, i.decided_by) is distinct from (r.id, r.decided_by)
    returning r.old_id, r.id
)
select count(*) filter (where r.old_id <> r.id and not exists (
           select from moved m where m.old_id = r.old_id and m.new_id = r.id)) as referred
  from redecided r

-- name: identity_move_references
update {table} t set {column} = m.new_id, valid_from = %(now)s, batch_id = %(batch)s
  from moved m where t.{column} = m.old_id

-- name: identity_move_lookup_labels
update biz.lookup l set {column} = m.new_id from moved m where l.{column} = m.old_id

-- name: identity_move_names
update biz.lookup l set target_id = m.new_id from moved m
 where l.entity = %(entity)s and l.target_id = m.old_id and not (l.row_entity = %(entity)s and l.row_id = m.old_id)

-- name: identity_drop_derived
-- Worked out anew at the end of the sync.
delete from {table} t using moved m where t.{column} = m.old_id

-- name: identity_drop_snapshots
-- Of two snapshots that come to be of the same item, site and day, one can stand.
delete from biz.stock_snapshot s using (
    select s.id, row_number() over (
               partition by s.source_id, coalesce(i.new_id, s.item_id), coalesce(p.new_id, s.site_id), s.day
               order by i.new_id is not null or p.new_id is not null, s.id) as place
      from biz.stock_snapshot s
      left join moved i on %(entity)s = 'item' and i.old_id = s.item_id
      left join moved p on %(entity)s = 'site' and p.old_id = s.site_id
     where case %(entity)s when 'item' then s.item_id in (select old_id from moved union select new_id from moved)
                           when 'site' then s.site_id in (select old_id from moved union select new_id from moved)
                           else false end) d
 where d.id = s.id and d.place > 1

-- name: identity_unfit
-- Records that others were to stand with, but that can't be placed themselves.
select distinct l.source_key
  from resolved r join resolved l on l.id = r.id and l.follow is null
 where r.follow is not null and not exists (select from {table} t where t.id = r.id)
   and not exists (select from placed p where p.id = r.id and p.state = 'new')

-- name: identity_settle_doubts
delete from core.identity_doubt d
 where d.entity = %(entity)s and d.source_id = %(source)s
   and not exists (
       select from resolved r join want w on w.source_key = r.source_key join {table} t on t.id = w.target_id
        where r.source_key = d.source_key and r.doubt = d.reason and w.rule = d.rule
          and (t.source_id, t.source_key) = (d.other_source_id, d.other_key))

-- name: identity_note_doubts
insert into core.identity_doubt (entity, source_id, source_key, reason, other_source_id, other_key, rule)
select %(entity)s, %(source)s, r.source_key, r.doubt, t.source_id, t.source_key, w.rule
  from resolved r join want w on w.source_key = r.source_key join {table} t on t.id = w.target_id
 where r.doubt is not null
on conflict do nothing

-- name: identity_doubtful
-- Records that rules could not decide on, each candidate a row, with what both are called where they stand.
select d.source_id, d.source_key, d.reason, d.rule, d.other_source_id, d.other_key,
       t.{number} as number, t.name, o.{number} as other_number, o.name as other_name
  from core.identity_doubt d
  left join {table} t on t.source_id = d.source_id and t.source_key = d.source_key
  left join {table} o on o.source_id = d.other_source_id and o.source_key = d.other_key
 where d.entity = %(entity)s
 order by d.source_id, d.source_key collate "C", d.other_source_id, d.other_key collate "C", d.rule

-- name: identity_unmatched
-- Rows of sources that have rules, which no other record is in; `total` counts all of them.
select t.id, t.source_id, t.source_key, t.{number} as number, t.name, count(*) over () as total
  from {table} t
 where t.source_id = any(%(sources)s)
   and not exists (select from core.identity i where i.entity = %(entity)s and i.target_id = t.id
                    and (i.source_id, i.source_key) <> (t.source_id, t.source_key))
   and not exists (select from core.identity_doubt d where d.entity = %(entity)s and d.source_id = t.source_id
                    and d.source_key = t.source_key)
 order by t.source_id, t.source_key collate "C" limit %(limit)s

-- name: identity_nearest
-- Rows of other sources that share a word of the name with these; a word that a hundred have says nothing.
with word as (
    select l.row_id, l.key, t.source_id from biz.lookup l join {table} t on t.id = l.row_id
     where l.row_id = any(%(ids)s) and l.row_entity = %(entity)s and l.entity = %(entity)s and l.kind = 'word'
)
select w.row_id as id, o.source_id as other_source_id, o.source_key as other_key, o.{number} as other_number,
       o.name as other_name
  from word w
 cross join lateral (
        select l.target_id from biz.lookup l
         where l.key = w.key and l.kind = 'word' and l.entity = %(entity)s and l.row_entity = %(entity)s
         limit 100) found
  join {table} o on o.id = found.target_id and o.source_id <> w.source_id
 group by 1, 2, 3, 4, 5
