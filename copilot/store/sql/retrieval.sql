-- name: sources_and_coverage
-- Every source with what its last successful sync covered.
select s.id, s.name, s.system, s.purpose, c.entity, c.confirmed_at, c.first_loaded_at
  from core.source s left join core.coverage c on c.source_id = s.id

-- name: site_calendars
-- Time zone, working days and closures of the sites in scope.
select s.id, s.time_zone, s.working_days,
       array(select c.day from biz.site_closure c where c.site_id = s.id) as closures
  from biz.site s

-- name: stock_keepers
-- Which sources keep stock at which sites: of those in scope that have any record of stock there.
select s.id as site_id, array_agg(o.id) as sources
  from biz.site s cross join core.source o
 cross join lateral (select from biz.stock t where t.site_id = s.id and t.source_id = o.id limit 1) as kept
 group by s.id
