-- name: ingest_add_source
-- A changed source is read anew: what its records mean may be different now.
with known as (
    select id, settings, label_map, system from core.source where name = %(name)s
), kept as (
    insert into core.source (name, system, settings, label_map, purpose, every_minutes, added_at)
    values (%(name)s, %(system)s, %(settings)s, %(label_map)s, %(purpose)s, %(every_minutes)s, %(now)s)
    on conflict (name) do update
       set system = excluded.system, settings = excluded.settings, label_map = excluded.label_map,
           purpose = excluded.purpose, every_minutes = excluded.every_minutes
    returning id, system, settings, label_map
), forgotten as (
    delete from core.cursor c using known, kept
     where c.source_id = kept.id
       and (known.settings, known.label_map, known.system)
           is distinct from (kept.settings, kept.label_map, kept.system)
)
select id from kept

-- name: ingest_sources
select id, name, system, settings, label_map, purpose, every_minutes from core.source order by id

-- name: ingest_relax_commit
-- What the loader writes can be read again from its source, so a commit need not wait for the disk.
select set_config('synchronous_commit', 'off', true)

-- name: ingest_lock_source
select pg_try_advisory_lock(7022, %(source)s::int) as locked

-- name: ingest_unlock_source
select pg_advisory_unlock(7022, %(source)s::int)

-- name: ingest_lock_merge
-- One merge at a time over all sources: a child must not take the labels that its parent is just losing.
select set_config('synchronous_commit', 'off', true), set_config('work_mem', '64MB', true),
       set_config('lock_timeout', %(patience)s, true), pg_advisory_xact_lock(7023)

-- name: ingest_set_now
-- The injected time, for the history triggers.
select set_config('copilot.now', %(now)s, true)

-- name: ingest_begin_batch
insert into core.batch (source_id, started_at) values (%(source)s, %(now)s) returning id

-- name: ingest_end_batch
update core.batch set finished_at = %(now)s, outcome = %(outcome)s, counts = %(counts)s, error = %(error)s
 where id = %(batch)s

-- name: ingest_abandoned_batches
-- Batches of a program that was killed.
update core.batch set finished_at = %(now)s, outcome = 'failed', error = 'interrupted'
 where source_id = %(source)s and outcome is null and id <> %(batch)s

-- name: ingest_filled_stages
-- The stages that hold anything or did a while ago: looking costs less than emptying all of them.
select c.relname as entity from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'stage' and c.relname = any(%(entities)s) and pg_relation_size(c.oid) > 0

-- name: ingest_clear_stage
delete from {stage} where batch_id in (select id from core.batch where source_id = %(source)s)

-- name: ingest_clear_living
delete from stage.living_key where batch_id in (select id from core.batch where source_id = %(source)s)

-- name: ingest_cursor
select value from core.cursor where source_id = %(source)s and entity = %(entity)s

-- name: ingest_keep_cursor
insert into core.cursor (source_id, entity, value) values (%(source)s, %(entity)s, %(value)s)
on conflict (source_id, entity) do update set value = excluded.value

-- name: ingest_forget_cursors
delete from core.cursor where source_id = %(source)s and entity = any(%(entities)s)

-- name: ingest_keep_coverage
insert into core.coverage (source_id, entity, confirmed_at)
select %(source)s, entity, %(confirmed)s from unnest(%(entities)s::text[]) as entity
on conflict (source_id, entity) do update
   set confirmed_at = greatest(core.coverage.confirmed_at, excluded.confirmed_at)

-- name: ingest_hint_keys
select entity, source_key as key, target_id as id from core.identity
 where source_id = %(source)s and entity = any(%(entities)s)

-- name: ingest_hint_codes
select %(entity)s as entity, {column} as key, min(id) as id from {table} where {column} is not null group by {column}

-- name: ingest_holds
-- Whether anything of this source stands here already.
select exists (select from {table} where source_id = %(source)s)
    or exists (select from core.identity where source_id = %(source)s and entity = %(entity)s) as holds

-- name: ingest_copy
copy {table} ({columns}) from stdin

-- name: ingest_copy_living
copy stage.living_key (batch_id, entity, source_key) from stdin

-- name: ingest_due
-- Keys to ask the source for by name: living there but not here, set aside by an earlier sync, or referring to what was
-- not here and is now. Set operations here and below, as they stay quick when the planner has no figures about a table
-- that was just filled.
(select source_key from stage.living_key where batch_id = %(batch)s and entity = %(entity)s
 except select source_key from {table} where source_id = %(source)s
 except select source_key from core.identity where source_id = %(source)s and entity = %(entity)s
 union select source_key from core.quarantine where source_id = %(source)s and entity = %(entity)s
 union select u.source_key from core.unresolved u
        where u.source_id = %(source)s and u.entity = %(entity)s and (u.target_key is null {resolved}))
except select source_key from {stage} where batch_id = %(batch)s
limit %(most)s

-- name: ingest_resolved
or (u.field = {field} and exists (select from {table} t where t.source_id = u.source_id and t.source_key = u.target_key))

-- name: ingest_resolved_identity
or (u.field = {field} and exists (
    select from core.identity i
     where i.entity = {target} and i.source_id = u.source_id and i.source_key = u.target_key))

-- name: ingest_unstage
delete from {stage} where batch_id = %(batch)s

-- name: ingest_unstage_living
delete from stage.living_key where batch_id = %(batch)s and entity = %(entity)s

-- name: ingest_unstage_faults
delete from {stage} where batch_id = %(batch)s and source_key = any(%(keys)s)

-- name: ingest_latest
-- The newest of each key, under the number it has or will have.
create temp table latest on commit drop as
select s.*, mine.id is not null as known, coalesce(mine.id, nextval({sequence})) as id,
       null::text as decided_by, true as leads
  from (select distinct on (source_key) * from {stage} where batch_id = %(batch)s
         order by source_key, changed_at desc nulls last, arrival desc) s
  left join {table} mine on mine.source_id = %(source)s and mine.source_key = s.source_key

-- name: ingest_latest_identified
-- As ingest_latest, where several sources may describe one record: the number we decided on, or a new one.
create temp table latest on commit drop as
select s.*, kept.target_id is not null as known, coalesce(kept.target_id, nextval({sequence})) as id,
       'first' as decided_by, true as leads
  from (select distinct on (source_key) * from {stage} where batch_id = %(batch)s
         order by source_key, changed_at desc nulls last, arrival desc) s
  left join core.identity kept
    on kept.entity = %(entity)s and kept.source_id = %(source)s and kept.source_key = s.source_key

-- name: ingest_latest_resolved
-- As ingest_latest_identified, under the number that was decided on just now; of several records of this source that
-- are the same thing one leads.
create temp table latest on commit drop as
select s.*, kept.target_id is not null as known, coalesce(r.id, kept.target_id, nextval({sequence})) as id,
       coalesce(r.decided_by, 'first') as decided_by, r.follow is null as leads
  from (select distinct on (source_key) * from {stage} where batch_id = %(batch)s
         order by source_key, changed_at desc nulls last, arrival desc) s
  left join resolved r on r.source_key = s.source_key
  left join core.identity kept
    on kept.entity = %(entity)s and kept.source_id = %(source)s and kept.source_key = s.source_key

-- name: ingest_analyze_latest
analyze latest ({columns})

-- name: ingest_placed
-- Each record with our numbers for what it refers to, its labels, what is wrong with it, and whether it is new or
-- differs from what stands here. A row that another source governs is left as it is.
create temp table placed on commit drop as
select found.*,
       case when governs and own.id is null then 'new'
            when not governs then 'foreign'
            when row(found.company, {found}) is distinct from row(own.company, {own}) then 'changed'
            else 'same' end as state,
       governs and own.id is not null and row({found_labels}) is distinct from row({own_labels}) as relabelled,
       case when not governs then null
            {faults}
            end as fault
  from (select s.id, s.company, s.source_key, s.changed_at, s.known, s.decided_by, s.leads, s.hint_fault,
               {values}, {labels}
          from latest s {joins}) found
  left join {table} own on own.id = found.id
 cross join lateral (select (own.id is null and found.leads)
        or coalesce(own.source_id = %(source)s and own.source_key = found.source_key, false) as governs) g

-- name: ingest_faulty
select source_key, fault[1] as reason, fault[2] as detail from placed where fault is not null

-- name: ingest_drop_faulty
delete from placed where fault is not null

-- name: ingest_set_aside
insert into core.quarantine (batch_id, source_id, entity, source_key, reason, detail, found_at, record_class)
select %(batch)s, %(source)s, %(entity)s, f.key, f.reason, f.detail, %(now)s, %(record_class)s
  from unnest(%(keys)s::text[], %(reasons)s::text[], %(details)s::text[]) as f (key, reason, detail)
on conflict (source_id, entity, source_key) do update
   set batch_id = excluded.batch_id, reason = excluded.reason, detail = excluded.detail, found_at = excluded.found_at
 where (core.quarantine.reason, core.quarantine.detail) is distinct from (excluded.reason, excluded.detail)

-- name: ingest_release
-- What could be placed now is in quarantine no more.
delete from core.quarantine q
 where q.source_id = %(source)s and q.entity = %(entity)s and q.source_key in (select source_key from placed)
returning q.source_key

-- name: ingest_note_unresolved
with named as (
    select p.source_key, r.field, r.target, r.key, r.ident
      from placed p cross join lateral (values {references}) as r (field, target, key, ident)
), resolved as (
    delete from core.unresolved u using named n
     where u.source_id = %(source)s and u.entity = %(entity)s and u.source_key = n.source_key and u.field = n.field
       and (n.key is null or n.ident is not null)
)
insert into core.unresolved (source_id, entity, source_key, field, target, target_key)
select %(source)s, %(entity)s, source_key, field, target, key from named where key is not null and ident is null
on conflict (source_id, entity, source_key, field) do update set target_key = excluded.target_key
 where core.unresolved.target_key is distinct from excluded.target_key

-- name: ingest_awaited
select exists (select from core.unresolved u join placed p on p.source_key = u.target_key
                where u.source_id = %(source)s and u.target = %(entity)s) as awaited

-- name: ingest_update
update {table} t
   set company = p.company, changed_at = p.changed_at, confirmed_at = %(confirmed)s, valid_from = %(now)s,
       batch_id = %(batch)s, {assignments}
  from placed p where t.id = p.id and p.state = 'changed'

-- name: ingest_insert
insert into {table} (id, source_id, company, source_key, changed_at, confirmed_at, valid_from, batch_id, {columns})
select p.id, %(source)s, p.company, p.source_key, p.changed_at, %(confirmed)s, %(now)s, %(batch)s, {values}
  from placed p where p.state = 'new'

-- name: ingest_identify
insert into core.identity (entity, source_id, source_key, target_id, decided_by)
select %(entity)s, %(source)s, source_key, id, decided_by from placed where not known

-- name: ingest_states
select source_key, state from placed where state in ('new', 'changed')

-- name: ingest_counts
select count(*) filter (where state = 'new') as new, count(*) filter (where state = 'changed') as changed,
       array_agg(id) filter (where relabelled) as relabelled
  from placed

-- name: ingest_touch
-- Confirmed again and found the same: not a new version, see ddl.keep_history.
update {table} t set confirmed_at = %(confirmed)s
  from placed p where t.id = p.id and p.state = 'same' and t.confirmed_at < %(confirmed)s

-- name: ingest_forget_lookup
delete from biz.lookup l using placed p
 where l.row_entity = %(entity)s and l.row_id = p.id and p.state = 'changed'

-- name: ingest_lookup_number
-- As typed without punctuation, also without leading zeros, and for our own numbers the last run of digits.
insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                        label_region, label_site, label_channel, label_account, record_class)
select %(names)s, {target}, k.kind, k.key, %(via)s, %(entity)s, p.id,
       p.label_region, p.label_site, p.label_channel, p.label_account, %(record_class)s
  from placed p
 cross join lateral (values ('number', core.number_key({value})), ('loose', core.loose_key({value})),
                            ('digits', case when %(digits)s then core.digits_key({value}) end)) as k (kind, key)
 where p.state in ('new', 'changed') and {value} is not null and k.key <> ''

-- name: ingest_lookup_name
-- The whole name, its words and fractions, and what words without a figure are found under when they are mistyped.
with named as materialized (
    select p.*, {target} as named_id, {value} as said, core.fold({value}) as folded
      from placed p where p.state in ('new', 'changed')
), word as materialized (
    select distinct n.id, w.word from named n cross join lateral string_to_table(n.folded, ' ') as w (word)
     where w.word <> ''
), fraction as (
    select distinct id, m[1] as word from named cross join lateral regexp_matches(said, '[0-9]+/[0-9]+', 'g') as m
     where position('/' in said) > 0
), found as (
    select id, 'name' as kind, folded as key from named where folded <> ''
    union all
    select id, 'word', word from word where length(word) > 1
    union all
    select id, 'word', word from fraction
    union all
    select id, 'near', n.key from word cross join lateral core.near_keys(word) as n (key)
     where length(word) > 3 and word !~ '[0-9]'
)
insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                        label_region, label_site, label_channel, label_account, record_class)
select %(names)s, n.named_id, f.kind, f.key, %(via)s, %(entity)s, n.id,
       n.label_region, n.label_site, n.label_channel, n.label_account, %(record_class)s
  from found f join named n on n.id = f.id

-- name: ingest_relabel
-- Rows whose labels follow from a record that changed its own, and their lookup rows with them.
with moved as (
    update {table} t
       set {assignments}, valid_from = %(now)s, batch_id = %(batch)s
      from (select c.id, {labels} from {table} c {joins} where c.id in ({affected})) n
     where n.id = t.id and row({old}) is distinct from row({new})
    returning t.id, t.label_region, t.label_site, t.label_channel, t.label_account
), found as (
    update biz.lookup l
       set label_region = m.label_region, label_site = m.label_site, label_channel = m.label_channel,
           label_account = m.label_account
      from moved m where l.row_id = m.id and l.row_entity = %(entity)s
)
select id from moved

-- name: ingest_referring
select id from {table} where {column} = any({ids})

-- name: ingest_gone
-- What we hold of this source and it no longer has, as keys; `held` counts all rows here, `gone` those to be removed.
with missing as (
    (select source_key from {table} where source_id = %(source)s
     union select source_key from core.identity where source_id = %(source)s and entity = %(entity)s)
    except select source_key from stage.living_key where batch_id = %(batch)s and entity = %(entity)s
)
select array_agg(m.source_key) as keys,
       (select count(*) from {table} where source_id = %(source)s) as held,
       count(*) filter (where exists (
           select from {table} t where t.source_id = %(source)s and t.source_key = m.source_key)) as gone
  from missing m

-- name: ingest_held
select count(*) as held, count(*) filter (where source_key = any(%(keys)s)) as gone
  from {table} where source_id = %(source)s

-- name: ingest_count
select count(*) as held from {table}

-- name: ingest_forget_quarantine
-- What the source no longer has is no longer anybody's worry.
delete from core.quarantine q
 where q.source_id = %(source)s and q.entity = %(entity)s
   and not exists (select from stage.living_key l where l.batch_id = %(batch)s
                    and l.entity = %(entity)s and l.source_key = q.source_key)

-- name: ingest_rows_of_keys
select id from {table} where source_id = %(source)s and source_key = any(%(keys)s)

-- name: ingest_forget_identity
delete from core.identity where entity = %(entity)s and source_id = %(source)s and source_key = any(%(keys)s)

-- name: ingest_forget_targets
delete from core.identity where entity = %(entity)s and target_id = any(%(ids)s)

-- name: ingest_hand_over
-- A record that its source dropped while another source still has it goes on under that one, which is read anew.
with heirs as (
    select distinct on (target_id) target_id, source_id, source_key from core.identity
     where entity = %(entity)s and target_id = any(%(ids)s) order by target_id, source_id, source_key
), handed as (
    update {table} t
       set source_id = h.source_id, source_key = h.source_key, valid_from = %(now)s, batch_id = %(batch)s
      from heirs h where t.id = h.target_id
    returning t.id, t.source_id
), unread as (
    delete from core.cursor c using handed h where c.source_id = h.source_id and c.entity = %(entity)s
)
select id from handed

-- name: ingest_orphans
-- Rows whose reference will name nothing any more, set aside under their own source.
insert into core.quarantine (batch_id, source_id, entity, source_key, reason, detail, found_at, record_class)
select %(batch)s, source_id, %(entity)s, source_key, 'ref_unresolved', %(detail)s, %(now)s, %(record_class)s
  from {table} where id = any(%(ids)s)
on conflict (source_id, entity, source_key) do nothing

-- name: ingest_blank
-- Rows that go on without an optional reference, whose record is going.
with blanked as (
    update {table} set {column} = null, valid_from = %(now)s, batch_id = %(batch)s
     where {column} = any(%(targets)s) and id <> all(%(going)s)
    returning source_id, source_key
)
insert into core.unresolved (source_id, entity, source_key, field, target)
select source_id, %(entity)s, source_key, %(field)s, %(target)s from blanked
on conflict (source_id, entity, source_key, field) do update set target_key = null

-- name: ingest_remove
with removed as (
    delete from {table} where id = any(%(ids)s) returning id, source_id, source_key
), unfound as (
    delete from biz.lookup l using removed r where l.row_id = r.id and l.row_entity = %(entity)s
), waiting_no_more as (
    delete from core.unresolved u using removed r
     where u.source_id = r.source_id and u.entity = %(entity)s and u.source_key = r.source_key
)
select count(*) as removed from removed

-- name: ingest_unname
-- Other records' names for what is gone, such as a customer's part number for an item.
delete from biz.lookup where entity = %(entity)s and target_id = any(%(ids)s)

-- name: ingest_lock_derived
select set_config('copilot.now', %(now)s, true), pg_advisory_xact_lock(7023)

-- name: ingest_sites
select id, time_zone from biz.site

-- name: ingest_supplier_rates
-- Supplier performance over all purchase orders of a year, whoever may see them: published under the supplier's labels.
-- A line counts once it is received in full and had a promised date; lines with no date of their own take the order's.
-- In time is by the working days of the receiving site, as in the measure `supplier_on_time`: one definition, two ways
-- to it, held together by a test.
with places as (
    select p.site_id, p.zone, coalesce(s.working_days, '1234567') as weekdays,
           coalesce((select string_agg(c.day::text, ',') from biz.site_closure c where c.site_id = s.id), '') as closed
      from unnest(%(sites)s::bigint[], %(zones)s::text[]) as p (site_id, zone)
      join biz.site s on s.id = p.site_id
), last_receipt as (
    select rl.purchase_line_id as line_id, max((r.received_at at time zone p.zone)::date) as received_on
      from biz.receipt_line rl
      join biz.receipt r on r.id = rl.receipt_id and r.status = 'received'
      join biz.purchase_order o on o.id = r.purchase_order_id
      join places p on p.site_id = o.site_id
     where r.received_at >= %(since)s
     group by rl.purchase_line_id
), line as (
    select o.supplier_id, o.order_date, coalesce(l.promised_date, o.promised_date) as promised,
           coalesce(l.received_date, lr.received_on) as received, p.weekdays, p.closed
      from biz.purchase_line l
      join biz.purchase_order o on o.id = l.purchase_order_id
      left join places p on p.site_id = o.site_id
      left join last_receipt lr on lr.line_id = l.id
     where l.status = 'received'
), rate as (
    select supplier_id, count(promised) as receipts,
           count(*) filter (where received <= promised or core.days_late(
               promised, received, coalesce(weekdays, '1234567'), coalesce(closed, '')) = 0) as on_time,
           round(avg(received - order_date) * 1000000)::bigint as lead_time_mean
      from line where received between %(start)s and %(end)s
     group by supplier_id
), open as (
    select supplier_id, count(*) as open_orders from biz.purchase_order
     where status in ('sent', 'confirmed', 'partly_received') group by supplier_id
), fresh as (
    select s.source_id, s.company, s.source_key, s.label_region, s.label_site, s.label_channel, s.label_account,
           s.id as supplier_id, coalesce(r.receipts, 0)::int as receipts, coalesce(r.on_time, 0)::int as on_time,
           round(r.on_time * 1000000.0 / nullif(r.receipts, 0))::bigint as on_time_rate, r.lead_time_mean,
           coalesce(o.open_orders, 0)::int as open_orders
      from biz.supplier s
      left join rate r on r.supplier_id = s.id
      left join open o on o.supplier_id = s.id
     where r.supplier_id is not null or o.supplier_id is not null
), dropped as (
    delete from biz.supplier_rate where supplier_id not in (select supplier_id from fresh)
)
insert into biz.supplier_rate as t (source_id, company, source_key, confirmed_at, valid_from, batch_id, label_region,
       label_site, label_channel, label_account, supplier_id, period_start, period_end, receipts, on_time,
       on_time_rate, lead_time_mean, open_orders)
select source_id, company, source_key, %(now)s, %(now)s, %(batch)s, label_region, label_site, label_channel,
       label_account, supplier_id, %(start)s, %(end)s, receipts, on_time, on_time_rate, lead_time_mean, open_orders
  from fresh
on conflict (supplier_id) do update
   set source_id = excluded.source_id, company = excluded.company, source_key = excluded.source_key,
       confirmed_at = excluded.confirmed_at, valid_from = excluded.valid_from, batch_id = excluded.batch_id,
       label_region = excluded.label_region, label_site = excluded.label_site,
       label_channel = excluded.label_channel, label_account = excluded.label_account,
       period_start = excluded.period_start, period_end = excluded.period_end, receipts = excluded.receipts,
       on_time = excluded.on_time, on_time_rate = excluded.on_time_rate,
       lead_time_mean = excluded.lead_time_mean, open_orders = excluded.open_orders
 where row(t.source_id, t.source_key, t.label_region, t.label_site, t.label_channel, t.label_account, t.period_end,
           t.receipts, t.on_time, t.on_time_rate, t.lead_time_mean, t.open_orders)
       is distinct from
       row(excluded.source_id, excluded.source_key, excluded.label_region, excluded.label_site,
           excluded.label_channel, excluded.label_account, excluded.period_end, excluded.receipts, excluded.on_time,
           excluded.on_time_rate, excluded.lead_time_mean, excluded.open_orders)

-- name: ingest_stock_snapshot
-- Today's stock of an item at a site as each source has it, today being the site's. Lots are added up; where they
-- are kept in several units there is no sum to keep.
with places as (
    select * from unnest(%(sites)s::bigint[], %(days)s::date[]) as p (site_id, day)
), fresh as (
    select t.source_id, t.item_id, t.site_id, p.day, min(t.company) as company, sum(t.on_hand)::bigint as on_hand,
           sum(t.available)::bigint as available, min(t.unit) as unit, t.label_region, t.label_site,
           t.label_channel, t.label_account
      from biz.stock t join places p on p.site_id = t.site_id
     group by t.source_id, t.item_id, t.site_id, p.day, t.label_region, t.label_site, t.label_channel, t.label_account
    having count(distinct coalesce(t.unit, '')) = 1
), dropped as (
    delete from biz.stock_snapshot t using places p
     where t.site_id = p.site_id and t.day = p.day
       and (t.source_id, t.item_id, t.site_id) not in (select source_id, item_id, site_id from fresh)
)
insert into biz.stock_snapshot as t (source_id, company, source_key, confirmed_at, valid_from, batch_id, label_region,
       label_site, label_channel, label_account, item_id, site_id, day, on_hand, available, unit)
select source_id, company, concat_ws('/', day, site_id, item_id), %(now)s, %(now)s, %(batch)s, label_region,
       label_site, label_channel, label_account, item_id, site_id, day, on_hand, available, unit
  from fresh
on conflict (source_id, item_id, site_id, day) do update
   set confirmed_at = excluded.confirmed_at, valid_from = excluded.valid_from, batch_id = excluded.batch_id,
       label_region = excluded.label_region, label_site = excluded.label_site,
       label_channel = excluded.label_channel, label_account = excluded.label_account,
       on_hand = excluded.on_hand, available = excluded.available, unit = excluded.unit
 where row(t.label_region, t.label_site, t.label_channel, t.label_account, t.on_hand, t.available, t.unit)
       is distinct from
       row(excluded.label_region, excluded.label_site, excluded.label_channel, excluded.label_account,
           excluded.on_hand, excluded.available, excluded.unit)
