-- name: soundness_entities
-- The entities that were published, each with how many records are told to be set aside.
select records_of as entity, failing from {table} where source_id = %(source)s and what = 'set_aside'

-- name: soundness_write
-- What a source's checks found of one record class, as the worker. `judged` entities were judged anew: what stood of
-- them is replaced. What the source does not offer any more, and what is of a place that is gone, goes.
with fresh as (
    select * from jsonb_to_recordset(%(rows)s) as r (
        source_key text, label_region bigint, label_site bigint, label_channel bigint, label_account bigint, what text,
        area text, subject text, records_of text, check_id text, title text, site_id bigint, region_id bigint,
        checked integer, failing integer, checks integer, warn_over bigint, stop_over bigint, at_least integer)
), dropped as (
    delete from {table} t
     where t.source_id = %(source)s
       and (t.records_of <> all(%(offered)s)
            or (t.records_of = any(%(judged)s) and t.source_key not in (select source_key from fresh))
            or t.site_id not in (select id from biz.site) or t.region_id not in (select id from biz.region))
)
insert into {table} as t (source_id, source_key, confirmed_at, valid_from, batch_id, label_region, label_site,
       label_channel, label_account, what, area, subject, records_of, check_id, title, site_id, region_id, checked,
       failing, checks, warn_over, stop_over, at_least)
select %(source)s, source_key, %(now)s, %(now)s, %(batch)s, label_region, label_site, label_channel, label_account,
       what, area, subject, records_of, check_id, title, site_id, region_id, checked, failing, checks, warn_over,
       stop_over, at_least
  from fresh
on conflict (source_id, source_key) do update
   set confirmed_at = excluded.confirmed_at, valid_from = excluded.valid_from, batch_id = excluded.batch_id,
       label_region = excluded.label_region, label_site = excluded.label_site,
       label_channel = excluded.label_channel, label_account = excluded.label_account, area = excluded.area,
       subject = excluded.subject, title = excluded.title, checked = excluded.checked, failing = excluded.failing,
       checks = excluded.checks, warn_over = excluded.warn_over, stop_over = excluded.stop_over,
       at_least = excluded.at_least
 where row(t.label_region, t.label_site, t.label_channel, t.label_account, t.area, t.subject, t.title, t.checked,
           t.failing, t.checks, t.warn_over, t.stop_over, t.at_least)
       is distinct from
       row(excluded.label_region, excluded.label_site, excluded.label_channel, excluded.label_account, excluded.area,
           excluded.subject, excluded.title, excluded.checked, excluded.failing, excluded.checks, excluded.warn_over,
           excluded.stop_over, excluded.at_least)

-- name: soundness_withdraw
-- The rows of an entity have other labels now: what was published of them is told again after the next sync.
delete from {table} where records_of = %(entity)s
