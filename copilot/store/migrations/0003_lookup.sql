-- How people name records: numbers, names, words and trigrams of names. Found by text equality or a text range,
-- which row security leaves to the index; carries the labels and the class of the record that the name comes from.
create table biz.lookup (
    entity        text not null,         -- what the name names
    target_id     bigint not null,
    kind          text not null check (kind in ('number', 'loose', 'digits', 'name', 'word', 'gram')),
    key           text collate "C" not null,
    via           text not null,         -- the entity and field that hold it, such as sales_order.customer_po
    row_entity    text not null,         -- the row it was taken from, so that both go together
    row_id        bigint not null,
    label_region  bigint not null,
    label_site    bigint not null,
    label_channel bigint not null,
    label_account bigint not null,
    record_class  text not null
);
create index on biz.lookup (key, kind, entity);
create index on biz.lookup (row_id, row_entity);
call ddl.guard_rows('biz.lookup');
create policy loader on biz.lookup to copilot_loader using (true) with check (true);
grant select, insert, update, delete on biz.lookup to copilot_loader;

-- The gazetteer reads names, to know what to mask; nothing else.
create policy gazetteer on biz.customer for select to copilot_gazetteer using (true);
create policy gazetteer on biz.supplier for select to copilot_gazetteer using (true);
create policy gazetteer on biz.customer_contact for select to copilot_gazetteer using (true);
create policy gazetteer on biz.customer_address for select to copilot_gazetteer using (true);
create policy gazetteer on biz.supplier_contact for select to copilot_gazetteer using (true);
create policy gazetteer on biz.shipment_recipient for select to copilot_gazetteer using (true);
grant select (id, name, kind) on biz.customer to copilot_gazetteer;
grant select (id, name) on biz.supplier to copilot_gazetteer;
grant select (id, name, email, phone) on biz.customer_contact, biz.supplier_contact to copilot_gazetteer;
grant select (id, name, street) on biz.customer_address to copilot_gazetteer;
grant select (id, signed_by, street) on biz.shipment_recipient to copilot_gazetteer;

-- Derived rows are the worker's to write.
create policy worker_writes on biz.supplier_rate to copilot_worker using (true) with check (true);
create policy worker_writes on biz.stock_snapshot to copilot_worker using (true) with check (true);
grant insert, update, delete on biz.supplier_rate, biz.stock_snapshot to copilot_worker;
create policy worker_writes on hist.supplier_rate for insert to copilot_worker with check (true);
create policy worker_writes on hist.stock_snapshot for insert to copilot_worker with check (true);
grant insert on hist.supplier_rate, hist.stock_snapshot to copilot_worker;
create unique index on biz.stock_snapshot (source_id, item_id, site_id, day);
create unique index on biz.supplier_rate (supplier_id);
