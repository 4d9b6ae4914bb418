-- What is found over everything that a person may see, for questions that name no record. Each statement gives its first
-- rows and says on each how many there are in all. Places and customers narrow it where some are named.

-- name: survey_short_line
-- Open order lines promised for these days that what is published does not cover: on the day promised the balance of
-- their item at their site is below nothing. What is missing is the lesser of that and what of the line is not reserved,
-- in the unit of the stock; it is left out where the line's unit does not convert.
with lacking as materialized (
    select distinct b.item_id, b.site_id
      from biz.atp_bucket b
     where b.balance < 0 and b.day < %(until)s
       and (cardinality(%(sites)s::bigint[]) = 0 or b.site_id = any(%(sites)s::bigint[]))
       and (cardinality(%(regions)s::bigint[]) = 0 or b.label_region = any(%(regions)s::bigint[]))
), due as (
    select l.id, l.order_id, l.item_id, k.site_id, l.unit, coalesce(l.promised_date, o.promised_date) as due,
           l.source_id, l.company, l.source_key, l.valid_from, l.confirmed_at, l.label_site,
           l.open_quantity - coalesce(l.reserved_quantity, (select sum(r.quantity)::bigint from biz.reservation r
               where r.line_id = l.id and r.unit is not distinct from l.unit), 0) as wanted
      from lacking k
      join biz.sales_order_line l on l.item_id = k.item_id
      join biz.sales_order o on o.id = l.order_id
     where coalesce(l.site_id, o.site_id) = k.site_id
       and o.status in ('confirmed', 'partly_shipped') and l.status in ('open', 'backordered', 'partly_shipped')
       and coalesce(l.promised_date, o.promised_date) >= %(since)s
       and coalesce(l.promised_date, o.promised_date) < %(until)s
       and (cardinality(%(customers)s::bigint[]) = 0 or o.customer_id = any(%(customers)s::bigint[]))
), short as (
    select d.*, b.balance, b.unit as stocked_in, b.confirmed_at as published,
           case when d.unit = b.unit then d.wanted
                else round(d.wanted::numeric * lu.base_quantity / bu.base_quantity)::bigint end as lacks
      from due d
      join biz.item i on i.id = d.item_id
     cross join lateral (
           select b.balance, b.unit, b.confirmed_at from biz.atp_bucket b
            where b.item_id = d.item_id and b.site_id = d.site_id and b.day <= d.due
            order by b.day desc limit 1) as b
      left join lateral (
           select u.base_quantity from biz.item_unit u where u.item_id = d.item_id and u.unit = d.unit
           union all select 1000000 where i.base_unit = d.unit limit 1) as lu on true
      left join lateral (
           select u.base_quantity from biz.item_unit u where u.item_id = d.item_id and u.unit = b.unit
           union all select 1000000 where i.base_unit = b.unit limit 1) as bu on true
     where b.balance < 0 and d.wanted > 0
), found as (
    select s.*, least(s.lacks, -s.balance) as missing, count(*) over () as lines from short s
     order by least(s.lacks, -s.balance) desc nulls last, s.due, s.id limit %(limit)s
)
select f.id as line, f.item_id as item, f.order_id as sales_order, f.due, f.missing, f.stocked_in as unit, f.lines,
       f.source_id, f.company, f.source_key, f.valid_from, least(f.confirmed_at, f.published) as confirmed_at,
       f.label_site,
       (select min(b.day) from biz.atp_bucket b
         where b.item_id = f.item_id and b.site_id = f.site_id and b.receipts > 0 and b.day >= %(since)s) as supply_date
  from found f order by f.missing desc nulls last, f.due, f.id

-- name: survey_short_item
-- Items at sites of which the published balance is below nothing on some of these days: the first on which it is, and how
-- much is lacking at the worst. A row that another follows by the first of these days says nothing of them.
with low as (
    select b.item_id, b.site_id, min(b.day) as day, -min(b.balance) as missing
      from biz.atp_bucket b
     where b.balance < 0 and b.day < %(until)s
       and (cardinality(%(sites)s::bigint[]) = 0 or b.site_id = any(%(sites)s::bigint[]))
       and (cardinality(%(regions)s::bigint[]) = 0 or b.label_region = any(%(regions)s::bigint[]))
       and not exists (select from biz.atp_bucket n where n.item_id = b.item_id and n.site_id = b.site_id
                                                      and n.day > b.day and n.day <= %(since)s)
     group by b.item_id, b.site_id
), found as (
    select l.*, count(*) over () as positions from low l order by l.day, l.missing desc, l.item_id, l.site_id
     limit %(limit)s
)
select f.item_id as item, f.site_id as site, greatest(f.day, %(since)s) as day, f.missing, b.unit, f.positions,
       b.source_id, b.company, b.source_key, b.valid_from, b.confirmed_at, b.label_site,
       (select min(n.day) from biz.atp_bucket n
         where n.item_id = f.item_id and n.site_id = f.site_id and n.receipts > 0 and n.day >= %(since)s) as supply_date
  from found f join biz.atp_bucket b on b.item_id = f.item_id and b.site_id = f.site_id and b.day = f.day
 order by f.day, f.missing desc, f.item_id, f.site_id
