-- Names loosely typed. A word of a name stands under each beginning of up to seven letters with at most one of them left
-- out, as "grden/garden": a typed word with up to two left out meets it by equality of text, which is all that row
-- security leaves to an index. Trigrams, which did this before, read far more rows than they told apart.
create function core.near_keys(word text) returns setof text language sql immutable parallel safe strict as $$
    select left(p.start, greatest(n - 1, 0)) || substr(p.start, n + 1) || '/' || word
      from (select left(word, 7) as start) p cross join lateral generate_series(0, length(p.start)) n
     where n < 2 or substr(p.start, n, 1) <> substr(p.start, n - 1, 1)  -- of a double letter one is enough
$$;

alter table biz.lookup drop constraint lookup_kind_check;
delete from biz.lookup where kind = 'gram';
alter table biz.lookup add constraint lookup_kind_check
    check (kind in ('number', 'loose', 'digits', 'name', 'word', 'near'));
insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                        label_region, label_site, label_channel, label_account, record_class)
select w.entity, w.target_id, 'near', n.key, w.via, w.row_entity, w.row_id,
       w.label_region, w.label_site, w.label_channel, w.label_account, w.record_class
  from biz.lookup w cross join lateral core.near_keys(w.key) as n (key)
 where w.kind = 'word' and length(w.key) > 3 and w.key !~ '[0-9]';

-- The last digits of the numbers of customers, suppliers and items too, for "customer 10021".
insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                        label_region, label_site, label_channel, label_account, record_class)
select l.entity, l.target_id, 'digits', core.digits_key(l.key), l.via, l.row_entity, l.row_id,
       l.label_region, l.label_site, l.label_channel, l.label_account, l.record_class
  from biz.lookup l
 where l.kind = 'number' and l.via in ('customer.number', 'supplier.number', 'item.number')
   and core.digits_key(l.key) <> '';

-- Fractions of an inch in names are words of their own: folding took 1/2 apart.
insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                        label_region, label_site, label_channel, label_account, record_class)
select distinct 'item', i.id, 'word', m[1], 'item.name', 'item', i.id,
       i.label_region, i.label_site, i.label_channel, i.label_account, i.record_class
  from biz.item i cross join lateral regexp_matches(i.name, '[0-9]+/[0-9]+', 'g') as m
 where position('/' in i.name) > 0;

-- With its labels in the index a common word of names is read from it alone, in the order in which two words meet.
drop index biz.lookup_key_kind_entity_idx;
create index lookup_key on biz.lookup (key, kind, entity, target_id)
    include (record_class, label_region, label_site, label_channel, label_account);
