-- name: regions_in_scope
-- What a bare figure or date means to an asker: currency, fiscal year, and the zones and countries of the sites.
select r.id, r.code, r.currency, r.fiscal_year_start,
       array(select s.time_zone from biz.site s where s.label_region = r.id order by s.id) as zones,
       array(select s.country from biz.site s where s.label_region = r.id order by s.id) as countries
  from biz.region r
