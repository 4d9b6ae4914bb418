-- name: availability_sources
select id, name, purpose from core.source order by id

-- name: availability_before
-- Up to which moment changes were taken account of, and by which rules.
select moment, rules from core.derived where name = 'availability'

-- name: availability_keep
insert into core.derived (name, moment, rules) values ('availability', %(now)s, %(rules)s)
on conflict (name) do update set moment = excluded.moment, rules = excluded.rules

-- name: availability_touched
-- Items at sites whose stock, units, demand or expected receipts changed since then, or of which a day came or came into
-- view. What may be of any site counts for all.
with places as (
    select * from unnest(%(sites)s::bigint[], %(before)s::date[], %(days)s::date[], %(horizons)s::int[])
                      as p (site_id, was, today, horizon)
), dated as (
    select l.item_id, coalesce(l.site_id, o.site_id) as site_id,
           coalesce(l.promised_date, o.promised_date, l.requested_date, o.requested_date) as day
      from biz.sales_order_line l join biz.sales_order o on o.id = l.order_id
     where o.status in ('confirmed', 'partly_shipped') and l.status in ('open', 'backordered', 'partly_shipped')
    union all
    select l.item_id, o.site_id, coalesce(l.promised_date, o.promised_date)
      from biz.purchase_line l join biz.purchase_order o on o.id = l.purchase_order_id
     where o.status in ('sent', 'confirmed', 'partly_received') and l.status in ('open', 'partly_received')
    union all
    select l.item_id, t.to_site_id, t.expected_date
      from biz.transfer_line l join biz.transfer t on t.id = l.transfer_id where t.status in ('planned', 'in_transit')
), sold as (
    select id, site_id from biz.sales_order where valid_from >= %(since)s
    union select id, site_id from hist.sales_order where valid_to >= %(since)s
), bought as (
    select id, site_id from biz.purchase_order where valid_from >= %(since)s
    union select id, site_id from hist.purchase_order where valid_to >= %(since)s
), moved as (
    select id, s.site_id from biz.transfer cross join lateral (values (from_site_id), (to_site_id)) as s (site_id)
     where valid_from >= %(since)s
    union select id, s.site_id from hist.transfer cross join lateral (values (from_site_id), (to_site_id)) as s (site_id)
     where valid_to >= %(since)s
), touched as (
    select item_id, site_id from biz.stock where valid_from >= %(since)s
    union select item_id, site_id from hist.stock where valid_to >= %(since)s
    union select id, null from biz.item where valid_from >= %(since)s
    union select item_id, null from biz.item_unit where valid_from >= %(since)s
    union select item_id, null from hist.item_unit where valid_to >= %(since)s
    union select r.item_id, coalesce(l.site_id, o.site_id) from (
              select item_id, line_id from biz.reservation where valid_from >= %(since)s
              union select item_id, line_id from hist.reservation where valid_to >= %(since)s) as r
          left join biz.sales_order_line l on l.id = r.line_id left join biz.sales_order o on o.id = l.order_id
    union select l.item_id, coalesce(l.site_id, o.site_id) from (
              select item_id, site_id, order_id from biz.sales_order_line where valid_from >= %(since)s
              union select item_id, site_id, order_id from hist.sales_order_line where valid_to >= %(since)s) as l
          left join biz.sales_order o on o.id = l.order_id
    union select l.item_id, coalesce(l.site_id, o.site_id) from sold o join biz.sales_order_line l on l.order_id = o.id
    union select l.item_id, o.site_id from (
              select item_id, purchase_order_id from biz.purchase_line where valid_from >= %(since)s
              union select item_id, purchase_order_id from hist.purchase_line where valid_to >= %(since)s) as l
          left join biz.purchase_order o on o.id = l.purchase_order_id
    union select l.item_id, o.site_id from bought o join biz.purchase_line l on l.purchase_order_id = o.id
    union select l.item_id, s.site_id from (
              select item_id, transfer_id from biz.transfer_line where valid_from >= %(since)s
              union select item_id, transfer_id from hist.transfer_line where valid_to >= %(since)s) as l
          left join biz.transfer t on t.id = l.transfer_id
          cross join lateral (values (t.from_site_id), (t.to_site_id)) as s (site_id)
    union select l.item_id, t.site_id from moved t join biz.transfer_line l on l.transfer_id = t.id
    union select d.item_id, d.site_id from dated d join places p on p.site_id = d.site_id
           where p.was <> p.today and (d.day between p.was and p.today
                 or d.day between p.was + p.horizon and p.today + p.horizon)
)
select distinct t.item_id, p.site_id from touched t join places p on t.site_id is null or t.site_id = p.site_id

-- name: availability_expect_many
-- For the rest of the transaction: in a first load there are no statistics to plan by.
select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)

-- name: availability_stock
select id, source_id, item_id, site_id, on_hand, reserved, available, in_transit, unit
  from biz.stock
 where %(items)s::bigint[] is null
    or (item_id, site_id) in (select * from unnest(%(items)s::bigint[], %(places)s::bigint[]))
 order by id

-- name: availability_units
select id, source_id, item_id, unit, base_quantity, base_unit
  from biz.item_unit where %(items)s::bigint[] is null or item_id = any(%(items)s) order by id

-- name: availability_demand
-- Open order lines beyond what is reserved for them, by item, ship-from site, day (none: no day is recorded) and unit;
-- and what planned transfers will take from a site, for which no day is recorded.
with line as (
    select l.item_id, coalesce(l.site_id, o.site_id) as site_id, l.source_id, l.unit,
           coalesce(l.promised_date, o.promised_date, l.requested_date, o.requested_date) as day,
           l.open_quantity - coalesce(l.reserved_quantity, (select sum(r.quantity) from biz.reservation r
               where r.line_id = l.id and r.unit is not distinct from l.unit), 0) as wanted
      from biz.sales_order_line l join biz.sales_order o on o.id = l.order_id
     where o.status in ('confirmed', 'partly_shipped') and l.status in ('open', 'backordered', 'partly_shipped')
       and (%(items)s::bigint[] is null or (l.item_id, coalesce(l.site_id, o.site_id)) in (
               select * from unnest(%(items)s::bigint[], %(places)s::bigint[])))
    union all
    select l.item_id, t.from_site_id, l.source_id, l.unit, null, l.quantity
      from biz.transfer_line l join biz.transfer t on t.id = l.transfer_id
     where t.status = 'planned' and t.from_site_id is not null
       and (%(items)s::bigint[] is null or (l.item_id, t.from_site_id) in (
               select * from unnest(%(items)s::bigint[], %(places)s::bigint[])))
)
select item_id, site_id, source_id, unit, day, sum(wanted) filter (where wanted > 0) as quantity,
       bool_or(wanted is null) as unknown
  from line group by item_id, site_id, source_id, unit, day
having bool_or(wanted is null or wanted > 0)

-- name: availability_receipts
-- What is expected to come in by purchase and by transfer, by item, receiving site, day and unit. A quantity that is not
-- recorded is not expected.
with line as (
    select l.item_id, o.site_id, l.source_id, l.unit, coalesce(l.promised_date, o.promised_date) as day,
           l.open_quantity as expected
      from biz.purchase_line l join biz.purchase_order o on o.id = l.purchase_order_id
     where o.status in ('sent', 'confirmed', 'partly_received') and l.status in ('open', 'partly_received')
       and (%(items)s::bigint[] is null or (l.item_id, o.site_id) in (
               select * from unnest(%(items)s::bigint[], %(places)s::bigint[])))
    union all
    select l.item_id, t.to_site_id, l.source_id, l.unit, t.expected_date, l.quantity - coalesce(l.received_quantity, 0)
      from biz.transfer_line l join biz.transfer t on t.id = l.transfer_id
     where t.status in ('planned', 'in_transit')
       and (%(items)s::bigint[] is null or (l.item_id, t.to_site_id) in (
               select * from unnest(%(items)s::bigint[], %(places)s::bigint[])))
)
select item_id, site_id, source_id, unit, day, sum(expected) as quantity
  from line where expected > 0 group by item_id, site_id, source_id, unit, day

-- name: availability_confirmed
-- When what availability is worked out from was confirmed longest ago.
select min(confirmed_at) as confirmed_at from core.coverage
 where entity in ('stock', 'item_unit', 'reservation', 'sales_order', 'sales_order_line', 'purchase_order',
                  'purchase_line', 'transfer', 'transfer_line')

-- name: availability_write
-- The rows of the items worked out (null: of all) as they came out now; one of other items stays.
with fresh as (
    select r.*, s.source_id, s.company, s.label_region, s.label_site, s.label_channel, s.label_account,
           r.demanded or coalesce(i.status, '') not in ('phase_out', 'discontinued') as live
      from jsonb_to_recordset(%(rows)s) as r (
          stock_id bigint, item_id bigint, site_id bigint, on_hand bigint, reserved bigint,
          available bigint, in_transit bigint, unit text, governed_by text, agrees boolean, demand bigint,
          incoming bigint, late_incoming bigint, promised boolean, demanded boolean)
      join biz.stock s on s.id = r.stock_id
      join biz.item i on i.id = r.item_id
), dropped as (
    delete from biz.availability t
     where (%(items)s::bigint[] is null or (t.item_id, t.site_id) in (
               select * from unnest(%(items)s::bigint[], %(places)s::bigint[])))
       and (t.item_id, t.site_id) not in (select item_id, site_id from fresh)
)
insert into biz.availability as t (source_id, company, source_key, confirmed_at, valid_from, batch_id, label_region,
       label_site, label_channel, label_account, item_id, site_id, on_hand, reserved, available, in_transit, unit,
       governed_by, agrees, demand, incoming, late_incoming, promised, live)
select source_id, company, concat_ws('/', site_id, item_id), %(confirmed)s, %(now)s, %(batch)s, label_region,
       label_site, label_channel, label_account, item_id, site_id, on_hand, reserved, available, in_transit, unit,
       governed_by, agrees, demand, incoming, late_incoming, promised, live
  from fresh
on conflict (item_id, site_id) do update
   set source_id = excluded.source_id, company = excluded.company, source_key = excluded.source_key,
       confirmed_at = excluded.confirmed_at, valid_from = excluded.valid_from, batch_id = excluded.batch_id,
       label_region = excluded.label_region, label_site = excluded.label_site,
       label_channel = excluded.label_channel, label_account = excluded.label_account, on_hand = excluded.on_hand,
       reserved = excluded.reserved, available = excluded.available, in_transit = excluded.in_transit,
       unit = excluded.unit, governed_by = excluded.governed_by, agrees = excluded.agrees, demand = excluded.demand,
       incoming = excluded.incoming, late_incoming = excluded.late_incoming, promised = excluded.promised,
       live = excluded.live,
       days_of_supply = case when t.daily_use > 0 and excluded.available is not null then
           least(round(greatest(excluded.available, 0)::numeric * 1000000 / t.daily_use), 36500000000) end,
       use_until = case when (t.unit, t.source_id) is not distinct from (excluded.unit, excluded.source_id)
                        then t.use_until end
 where row(t.source_id, t.label_region, t.label_site, t.label_channel, t.label_account, t.on_hand, t.reserved,
           t.available, t.in_transit, t.unit, t.governed_by, t.agrees, t.demand, t.incoming, t.late_incoming,
           t.promised, t.live)
       is distinct from
       row(excluded.source_id, excluded.label_region, excluded.label_site, excluded.label_channel,
           excluded.label_account, excluded.on_hand, excluded.reserved, excluded.available, excluded.in_transit,
           excluded.unit, excluded.governed_by, excluded.agrees, excluded.demand, excluded.incoming,
           excluded.late_incoming, excluded.promised, excluded.live)

-- name: availability_write_buckets
-- An opening that says the same as before holds from the day on that it did.
with fresh as (
    select r.item_id, r.site_id, coalesce(o.day, r.day) as day, r.kind, r.receipts, r.demand, r.balance, r.promisable,
           r.unit, a.source_id, a.company, a.label_region, a.label_site, a.label_channel, a.label_account
      from jsonb_to_recordset(%(rows)s) as r (
          item_id bigint, site_id bigint, day date, kind text, receipts bigint, demand bigint, balance bigint,
          promisable bigint, unit text)
      join biz.availability a on a.item_id = r.item_id and a.site_id = r.site_id
      left join biz.atp_bucket o
        on o.item_id = r.item_id and o.site_id = r.site_id and o.kind = 'opening' and r.kind = 'opening'
       and r.receipts = 0 and (o.receipts, o.demand, o.balance, o.promisable, o.unit)
                              is not distinct from (r.receipts, r.demand, r.balance, r.promisable, r.unit)
), dropped as (
    delete from biz.atp_bucket t
     where (%(items)s::bigint[] is null or (t.item_id, t.site_id) in (
               select * from unnest(%(items)s::bigint[], %(places)s::bigint[])))
       and (t.item_id, t.site_id, t.day) not in (select item_id, site_id, day from fresh)
)
insert into biz.atp_bucket as t (source_id, company, source_key, confirmed_at, valid_from, batch_id, label_region,
       label_site, label_channel, label_account, item_id, site_id, day, kind, receipts, demand, balance, promisable,
       unit)
select source_id, company, concat_ws('/', day, site_id, item_id), %(confirmed)s, %(now)s, %(batch)s, label_region,
       label_site, label_channel, label_account, item_id, site_id, day, kind, receipts, demand, balance, promisable,
       unit
  from fresh
on conflict (item_id, site_id, day) do update
   set source_id = excluded.source_id, company = excluded.company, confirmed_at = excluded.confirmed_at,
       valid_from = excluded.valid_from, batch_id = excluded.batch_id, label_region = excluded.label_region,
       label_site = excluded.label_site, label_channel = excluded.label_channel,
       label_account = excluded.label_account, kind = excluded.kind, receipts = excluded.receipts,
       demand = excluded.demand, balance = excluded.balance, promisable = excluded.promisable, unit = excluded.unit
 where row(t.source_id, t.label_region, t.label_site, t.label_channel, t.label_account, t.kind, t.receipts, t.demand,
           t.balance, t.promisable, t.unit)
       is distinct from
       row(excluded.source_id, excluded.label_region, excluded.label_site, excluded.label_channel,
           excluded.label_account, excluded.kind, excluded.receipts, excluded.demand, excluded.balance,
           excluded.promisable, excluded.unit)

-- name: availability_use
-- What is shipped of each item at each site and what stood there on average, over whole weeks up to the last Sunday:
-- worked out once a week, and for what is new. Shipments are those of the stock journal of the system that `ranked`
-- names first among those that keep one at the site, stock that of the daily snapshots of the system that governs it.
-- A journal of less than four whole weeks says nothing, and neither do several units.
with places as (
    select * from unnest(%(sites)s::bigint[], %(zones)s::text[], %(lasts)s::date[]) as p (site_id, zone, last)
), due as materialized (
    select a.id, a.item_id, a.site_id, a.unit, p.zone, p.last
      from biz.availability a join places p on p.site_id = a.site_id where a.use_until is distinct from p.last
), journal as (
    select distinct on (d.site_id) d.site_id, j.source_id, j.begun
      from (select distinct site_id, zone from due) d
      join (select source_id, site_id, min(moved_at) as begun from biz.stock_move
             where exists (select from due) group by source_id, site_id) j on j.site_id = d.site_id
      join unnest(%(ranked_sites)s::bigint[], %(ranked)s::bigint[]) with ordinality as r (site_id, source_id, place)
           on r.source_id = j.source_id and r.site_id = j.site_id
     order by d.site_id, r.place
), span as (
    -- from the first Monday after the day on which the journal begins, at most 52 weeks
    select d.*, j.source_id, greatest(d.last - 363,
               date_trunc('week', (j.begun at time zone d.zone)::date + interval '7 days')::date) as first
      from due d join journal j on j.site_id = d.site_id
), shipped as (
    select s.id, s.first, coalesce(sum(-m.quantity), 0) as year,
           coalesce(sum(-m.quantity) filter (where (m.moved_at at time zone s.zone)::date > s.last - 91), 0) as lately,
           count(m.id) filter (where m.unit is distinct from s.unit or m.quantity is null) as strange
      from span s
      left join biz.stock_move m
        on m.item_id = s.item_id and m.site_id = s.site_id and m.source_id = s.source_id and m.kind = 'shipment'
       and (m.moved_at at time zone s.zone)::date between s.first and s.last
     group by s.id, s.first
), counted as (
    select d.id, t.source_id, t.day, sum(t.on_hand) as on_hand, t.day <= d.last as whole, r.place,
           bool_or(t.unit is distinct from d.unit) as strange
      from due d
      join biz.stock_snapshot t on t.item_id = d.item_id and t.site_id = d.site_id and t.day > d.last - 364
      join unnest(%(ranked_sites)s::bigint[], %(keepers)s::bigint[]) with ordinality as r (site_id, source_id, place)
           on r.source_id = t.source_id and r.site_id = t.site_id
     where t.on_hand is not null
     group by d.id, t.source_id, t.day, r.place, d.last
), governing as (
    select distinct on (id, day) id, day, on_hand, whole, strange from counted order by id, day, place
), stood as (
    -- before the first Sunday, the first day that there is
    select id, coalesce(avg(on_hand) filter (where whole), (array_agg(on_hand order by day))[1]) as mean,
           coalesce(bool_or(strange) filter (where whole), (array_agg(strange order by day))[1]) as strange
      from governing group by id
), fresh as (
    select d.id, d.last, d.last - u.first + 1 as days, round(u.lately / least(d.last - u.first + 1, 91)) as daily,
           round(u.year * 365 / (d.last - u.first + 1)) as yearly, round(s.mean) as mean, not s.strange as alike,
           u.first <= d.last - 27 and u.strange = 0 and u.year between 0 and 1e15 as told
      from due d left join shipped u on u.id = d.id left join stood s on s.id = d.id
)
update biz.availability t
   set use_until = f.last, use_days = case when f.told then f.days end,
       daily_use = case when f.told then f.daily end, yearly_use = case when f.told then f.yearly end,
       mean_stock = case when f.alike and abs(f.mean) < 1e18 then f.mean end,
       days_of_supply = case when f.told and f.daily > 0 and t.available is not null then
           least(round(greatest(t.available, 0)::numeric * 1000000 / f.daily), 36500000000) end,
       valid_from = %(now)s, batch_id = %(batch)s
  from fresh f where f.id = t.id

-- name: availability_forget_use
-- Other rules: what is shipped and what stood is counted anew.
update biz.availability set use_until = null, valid_from = %(now)s, batch_id = %(batch)s where use_until is not null

-- name: availability_cover
-- Everything published here is as old as the oldest of what it is worked out from, whatever source brought that. It
-- is said of the sources whose stock it is told for: one that was never synced must not look as if it had been.
insert into core.coverage (source_id, entity, confirmed_at)
select c.source_id, published, %(confirmed)s
  from core.coverage c cross join unnest(%(entities)s::text[]) as published where c.entity = 'stock'
on conflict (source_id, entity) do update set confirmed_at = excluded.confirmed_at
