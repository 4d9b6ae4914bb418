-- name: find_numbers
-- Records whose number a word may mean: as written, without its leading zeros, or by its last digits alone.
-- words: candidates as typed; bare: those that may be digits alone.
with asked as (
    select w.word, core.number_key(w.word) as key, 'number' as kind from unnest(%(words)s::text[]) as w(word)
    union all
    select w.word, core.loose_key(w.word), 'loose' from unnest(%(words)s::text[]) as w(word)
    union all
    select w.word, core.digits_key(w.word), 'digits' from unnest(%(bare)s::text[]) as w(word)
)
select l.entity, l.target_id, l.kind, l.via, a.word
  from asked a join biz.lookup l on l.key = a.key and l.kind = a.kind
 limit 200

-- name: whole_names
-- Records of just these names.
select distinct l.entity, l.target_id, l.key
  from biz.lookup l
 where l.kind = 'name' and l.key = any (%(names)s)
 limit 200

-- name: known_words
-- Which of the words occur in a name just so.
select w.word
  from unnest(%(words)s::text[]) as w(word)
 cross join lateral (select l.key from biz.lookup l where l.key = w.word and l.kind = 'word' limit 1) as l

-- name: keys_between
-- The different keys of one kind in each range from `start` up to `stop`, at most 60 of each, one step in the index for
-- each: many names have the same words. The ends come from outside: a concatenation here is not leakproof, and row
-- security would keep it from the index.
with recursive step as (
    select r.start, r.stop, 1 as place,
           (select l.key from biz.lookup l
             where l.key >= r.start and l.key < r.stop and l.kind = %(kind)s order by l.key limit 1) as key
      from unnest(%(starts)s::text[], %(stops)s::text[]) as r (start, stop)
    union all
    select s.start, s.stop, s.place + 1,
           (select l.key from biz.lookup l
             where l.key > s.key and l.key < s.stop and l.kind = %(kind)s order by l.key limit 1)
      from step s where s.key is not null and s.place < 60
)
select start, key from step where key is not null

-- name: names_with_words
-- Records whose name holds the words: of each entity those with most of them. Of a word that more than `most` names of
-- an entity have only the first are read, in the order of their ids, and of those that a rarer word leads to whether
-- they have it. How many of each word were read, and the last id of them, come as rows of their own with a `total`.
with hit as materialized (
    select h.entity, h.target_id, w.word
      from unnest(%(words)s::text[]) as w (word)
     cross join unnest(%(entities)s::text[]) as e (entity)
     cross join lateral (
        select l.entity, l.target_id from biz.lookup l
         where l.key = w.word and l.kind = 'word' and l.entity = e.entity
         order by l.target_id limit %(most)s) as h
), tally as materialized (
    select entity, word, count(*) as total, max(target_id) as last from hit group by entity, word
), rare as (
    select distinct h.entity, h.target_id from hit h join tally t using (entity, word) where t.total < %(most)s
), held as (
    select entity, target_id, word from hit
    union
    select r.entity, r.target_id, t.word
      from rare r join tally t on t.entity = r.entity and t.total >= %(most)s
     cross join lateral (
        select l.key from biz.lookup l
         where l.key = t.word and l.kind = 'word' and l.entity = r.entity and l.target_id = r.target_id limit 1) as l
)
select entity, target_id, words, null::bigint as total
  from (select entity, target_id, array_agg(word) as words,
               row_number() over (partition by entity order by count(*) desc, target_id) as place
          from held group by entity, target_id) as found
 where place <= 40
union all
select entity, last, array[word], total from tally

-- name: names_with_both
-- Records of an entity whose name holds two common words, and which of the others it holds too. Goes through the names
-- with the rarer word, `one`, and looks for the other in each: a join would read all names of both.
with both_of as materialized (
    select a.target_id
      from biz.lookup a
     cross join lateral (
        select b.key from biz.lookup b
         where b.key = %(other)s and b.kind = 'word' and b.entity = %(entity)s and b.target_id = a.target_id limit 1) as b
     where a.key = %(one)s and a.kind = 'word' and a.entity = %(entity)s
     order by a.target_id limit 1000
), held as (
    select o.target_id,
           array(select distinct l.key from biz.lookup l
                  where l.key = any (%(rest)s::text[]) and l.kind = 'word' and l.entity = %(entity)s
                    and l.target_id = o.target_id) as words
      from both_of o
)
select target_id, words from held order by cardinality(words) desc, target_id limit 40

-- name: zones_of_records
-- The time zone in which a question about such records means its days: that of an order's site, or of the site of the
-- customer's newest order.
(select s.time_zone from biz.sales_order o join biz.site s on s.id = o.site_id
  where o.id = any (%(sales_orders)s::bigint[]) order by o.id limit 1)
union all
(select s.time_zone from biz.purchase_order o join biz.site s on s.id = o.site_id
  where o.id = any (%(purchase_orders)s::bigint[]) order by o.id limit 1)
union all
(select s.time_zone from biz.sales_order o join biz.site s on s.id = o.site_id
  where o.customer_id = any (%(customers)s::bigint[]) order by o.order_date desc nulls last, o.id desc limit 1)
limit 1

-- name: said_values
-- What is written in the fields that people tell records apart by and that hold no codes, in scope: from one value to
-- the next, and at each place in scope by itself, so that an index leads past the rows that the scope does not show,
-- however many there are. Of a class that is not in scope nothing is looked for.
with places as (
    select r.id as region, s.id as site
      from (select id from biz.region union all select 0) r cross join (select id from biz.site union all select 0) s
), classes as (
    select string_to_array(nullif(current_setting('copilot.classes', true), ''), ',') as names
)
select distinct 'item' as entity, 'category' as field, value from places p cross join lateral (
    with recursive said (value) as (
        (select t.category from biz.item t where t.label_region = p.region and t.label_site = p.site
            and t.category is not null order by t.category limit 1)
        union all
        select (select t.category from biz.item t where t.label_region = p.region and t.label_site = p.site
                   and t.category > s.value order by t.category limit 1)
          from said s where s.value is not null
    ) select value from said where value is not null limit 300) as category_said
 where 'item' = any ((select names from classes)::text[])
union all
select distinct 'shipment' as entity, 'carrier' as field, value from places p cross join lateral (
    with recursive said (value) as (
        (select t.carrier from biz.shipment t where t.label_region = p.region and t.label_site = p.site
            and t.carrier is not null order by t.carrier limit 1)
        union all
        select (select t.carrier from biz.shipment t where t.label_region = p.region and t.label_site = p.site
                   and t.carrier > s.value order by t.carrier limit 1)
          from said s where s.value is not null
    ) select value from said where value is not null limit 300) as carrier_said
 where 'shipping' = any ((select names from classes)::text[])
union all
select 'supplier_terms', 'incoterm', value from (
    with recursive said (value) as (
        (select t.incoterm from biz.supplier_terms t where t.incoterm is not null order by t.incoterm limit 1)
        union all
        select (select t.incoterm from biz.supplier_terms t where t.incoterm > s.value order by t.incoterm limit 1)
          from said s where s.value is not null
    ) select value from said where value is not null limit 300) as incoterm_said
 where 'supplier_terms' = any ((select names from classes)::text[])
union all
select 'supplier_terms', 'payment_terms', value from (
    with recursive said (value) as (
        (select t.payment_terms from biz.supplier_terms t where t.payment_terms is not null order by t.payment_terms limit 1)
        union all
        select (select t.payment_terms from biz.supplier_terms t where t.payment_terms > s.value order by t.payment_terms limit 1)
          from said s where s.value is not null
    ) select value from said where value is not null limit 300) as payment_terms_said
 where 'supplier_terms' = any ((select names from classes)::text[])
