-- name: zone_of_promise
-- In which time zone a day is meant: of the first of the sites named, else of the first site in scope.
select s.time_zone from biz.site s
 where cardinality(%(sites)s::bigint[]) = 0 or s.id = any(%(sites)s::bigint[])
 order by s.id limit 1
