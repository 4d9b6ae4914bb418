-- name: stock_in_question
-- The items of which several sources may tell different things at some site: all but those that every source keeping
-- stock there has in full, in one unit and in the same amount.
with keeper as (
    select s.id as site_id, count(*) as sources
      from biz.site s cross join core.source o
     cross join lateral (select from biz.stock t where t.site_id = s.id and t.source_id = o.id limit 1) as kept
     where %(site)s::bigint is null or s.id = %(site)s
     group by s.id having count(*) > 1
), told as (
    select t.item_id, k.site_id, k.sources, sum(t.on_hand) as on_hand, min(coalesce(t.unit, '')) as least_unit,
           max(coalesce(t.unit, '')) as most_unit, count(*) = count(t.on_hand) as in_full
      from biz.stock t join keeper k on k.site_id = t.site_id
     group by t.item_id, k.site_id, k.sources, t.source_id
), doubted as (
    select item_id from told
     group by item_id, site_id, sources
    having count(*) < sources or min(on_hand) is distinct from max(on_hand) or min(least_unit) <> max(most_unit)
           or not bool_and(in_full)
)
select i.id as item_id from biz.item i where i.id in (select item_id from doubted) order by i.number, i.id

-- name: site_by_code
select id from biz.site where lower(code) = lower(%(code)s)
