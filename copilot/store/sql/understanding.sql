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
select distinct l.key as word
  from biz.lookup l
 where l.kind = 'word' and l.key = any (%(words)s)

-- name: words_beginning
-- Words of names that begin with what was typed. The end of each range comes from outside: a concatenation here is not
-- leakproof, and row security would keep it from the index. Word by word, or every word of every name would be read.
select w.word, l.meant
  from unnest(%(words)s::text[], %(ends)s::text[]) as w(word, stop)
 cross join lateral (
    select distinct l.key as meant
      from biz.lookup l
     where l.kind = 'word' and l.key >= w.word and l.key < w.stop
     order by l.key
     limit 60) as l

-- name: words_alike
-- Names that share most trigrams with a word nobody knows: a slip of the keyboard.
select w.word, l.entity, l.target_id, count(distinct l.key)::int as shared
  from (select word, gram from unnest(%(words)s::text[]) as w(word),
               lateral (select distinct substr('  ' || w.word || ' ', i, 3) as gram
                          from generate_series(1, length(w.word) + 1) as i) as g) as w
  join biz.lookup l on l.key = w.gram and l.kind = 'gram'
 group by w.word, l.entity, l.target_id
having count(distinct l.key) >= greatest(2, (length(w.word) + 1) * 0.5)
 order by shared desc
limit 60

-- name: names_with_words
-- Records whose name holds the words: of each entity those with most of them.
select entity, target_id, words
  from (select l.entity, l.target_id, array_agg(distinct l.key) as words,
               row_number() over (partition by l.entity
                                  order by count(distinct l.key) desc, l.target_id) as place
          from biz.lookup l
         where l.kind = 'word' and l.key = any (%(words)s)
         group by l.entity, l.target_id) as found
 where place <= 40

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
