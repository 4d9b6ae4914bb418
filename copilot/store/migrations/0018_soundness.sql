-- How sound the copied data is, as the checks found it: one table for each record class, all of one shape, written by the
-- worker. copilot/semantic/model/quality.yaml says what the fields mean, copilot/adr/0018-soundness.md why so.

create table biz.stock_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.stock_soundness (site_id);
create index on biz.stock_soundness (region_id);
call ddl.guard('stock_soundness', 'stock');

create table biz.sales_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.sales_soundness (site_id);
create index on biz.sales_soundness (region_id);
call ddl.guard('sales_soundness', 'sales');

create table biz.sales_price_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.sales_price_soundness (site_id);
create index on biz.sales_price_soundness (region_id);
call ddl.guard('sales_price_soundness', 'sales_price');

create table biz.purchasing_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.purchasing_soundness (site_id);
create index on biz.purchasing_soundness (region_id);
call ddl.guard('purchasing_soundness', 'purchasing');

create table biz.purchase_price_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.purchase_price_soundness (site_id);
create index on biz.purchase_price_soundness (region_id);
call ddl.guard('purchase_price_soundness', 'purchase_price');

create table biz.shipping_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.shipping_soundness (site_id);
create index on biz.shipping_soundness (region_id);
call ddl.guard('shipping_soundness', 'shipping');

create table biz.invoice_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.invoice_soundness (site_id);
create index on biz.invoice_soundness (region_id);
call ddl.guard('invoice_soundness', 'invoice');

create table biz.invoice_amount_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.invoice_amount_soundness (site_id);
create index on biz.invoice_amount_soundness (region_id);
call ddl.guard('invoice_amount_soundness', 'invoice_amount');

create table biz.returns_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.returns_soundness (site_id);
create index on biz.returns_soundness (region_id);
call ddl.guard('returns_soundness', 'returns');

create table biz.item_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.item_soundness (site_id);
create index on biz.item_soundness (region_id);
call ddl.guard('item_soundness', 'item');

create table biz.item_cost_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.item_cost_soundness (site_id);
create index on biz.item_cost_soundness (region_id);
call ddl.guard('item_cost_soundness', 'item_cost');

create table biz.price_list_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.price_list_soundness (site_id);
create index on biz.price_list_soundness (region_id);
call ddl.guard('price_list_soundness', 'price_list');

create table biz.customer_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.customer_soundness (site_id);
create index on biz.customer_soundness (region_id);
call ddl.guard('customer_soundness', 'customer');

create table biz.credit_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.credit_soundness (site_id);
create index on biz.credit_soundness (region_id);
call ddl.guard('credit_soundness', 'credit');

create table biz.contract_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.contract_soundness (site_id);
create index on biz.contract_soundness (region_id);
call ddl.guard('contract_soundness', 'contract');

create table biz.supplier_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.supplier_soundness (site_id);
create index on biz.supplier_soundness (region_id);
call ddl.guard('supplier_soundness', 'supplier');

create table biz.supplier_terms_soundness (
    like ddl.record including all,
    what text not null,
    area text not null,
    subject text not null,
    records_of text not null,
    check_id text,
    title text,
    site_id bigint,
    region_id bigint,
    checked integer,
    failing integer,
    checks integer,
    warn_over bigint,
    stop_over bigint,
    at_least integer
);
create index on biz.supplier_terms_soundness (site_id);
create index on biz.supplier_terms_soundness (region_id);
call ddl.guard('supplier_terms_soundness', 'supplier_terms');

do $$
declare
    name text;
begin
    for name in select relname from pg_class
                 where relnamespace = 'biz'::regnamespace and relkind = 'r' and relname like '%\_soundness'
    loop
        execute format('create policy worker_writes on biz.%I to copilot_worker using (true) with check (true)', name);
        execute format('grant insert, update, delete on biz.%I to copilot_worker', name);
        execute format('create policy worker_writes on hist.%I for insert to copilot_worker with check (true)', name);
        execute format('grant insert on hist.%I to copilot_worker', name);
        execute format('drop table stage.%I', name);  -- no source delivers it
    end loop;
end $$;

-- Regions are places that people name, by code or name, as sites are. Those that stand already, as the merge would
-- write them.
insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                        label_region, label_site, label_channel, label_account, record_class)
select distinct 'region', r.id, k.kind, k.key, n.via, 'region', r.id,
       r.label_region, r.label_site, r.label_channel, r.label_account, r.record_class
  from biz.region r
 cross join lateral (values ('region.code', core.fold(r.code)), ('region.name', core.fold(r.name))) as n (via, folded)
 cross join lateral (
    select 'name' as kind, n.folded as key
    union all
    select 'word', word from string_to_table(n.folded, ' ') as w (word) where length(word) > 1
    union all
    select 'gram', substr('  ' || word || ' ', i, 3)
      from string_to_table(n.folded, ' ') as w (word) cross join lateral generate_series(1, length(word) + 1) as i
) as k
 where n.folded <> '' and k.key <> '';

-- What the quality checks stopped in a batch, or would have: entity, check, rows and failing rows of each. Where somebody
-- let it through, who and why.
alter table core.batch
    add column stopped jsonb not null default '[]',
    add column accepted_by text,
    add column accepted_why text;
