-- What reading the history takes: since when a record is kept here at all, when a source was first loaded, and indexes
-- for old versions. See copilot/adr/0014-history.md.

-- When the record was first written here. Every version carries it, so that whoever sees a version can tell whether it
-- is the first one, even where the first one is hidden from them. Set by the injected time of the merge that inserts;
-- no update touches it.
alter table ddl.record
    add column began_at timestamptz default nullif(current_setting('copilot.now', true), '')::timestamptz;

do $$
declare
    name text;
begin
    perform set_config('copilot.now', '1970-01-01T00:00:00Z', true);  -- the triggers ask; no version is made
    for name in select t.relname from pg_class t
                 where t.relnamespace = 'hist'::regnamespace and t.relkind = 'r' order by t.relname
    loop
        execute format('alter table biz.%I add column began_at timestamptz', name);
        execute format('alter table hist.%I add column began_at timestamptz', name);
        execute format('update hist.%I h set began_at = (select min(f.valid_from) from hist.%I f where f.id = h.id)',
            name, name);
        execute format('update biz.%I t set began_at = least(t.valid_from,'
            ' (select min(f.valid_from) from hist.%I f where f.id = t.id))', name, name);
        execute format('alter table biz.%I alter column began_at'
            ' set default nullif(current_setting(''copilot.now'', true), '''')::timestamptz', name);
    end loop;
    perform set_config('copilot.now', '', true);
end $$;

-- Until when the first load of an entity of a source lasted: what began by then was only found there, not new. The row
-- is first written at the end of the first sync that covers the entity, which has set the injected time.
alter table core.coverage add column first_loaded_at timestamptz;
update core.coverage c
   set first_loaded_at = coalesce(
       (select min(b.finished_at) from core.batch b where b.source_id = c.source_id and b.outcome = 'merged'),
       c.confirmed_at);
alter table core.coverage alter column first_loaded_at
    set default nullif(current_setting('copilot.now', true), '')::timestamptz;

-- "What changed for this customer": the account label is the customer, of the order as of everything below it.
create index on biz.sales_order (label_account, valid_from);
create index on biz.sales_order_line (label_account, valid_from);
create index on biz.shipment (label_account, valid_from);
create index on biz.invoice (label_account, valid_from);
create index on biz.return_order (label_account, valid_from);
create index on biz.service_case (label_account, valid_from);
create index on hist.sales_order (label_account, valid_to);
create index on hist.sales_order_line (label_account, valid_to);
create index on hist.shipment (label_account, valid_to);
create index on hist.invoice (label_account, valid_to);
create index on hist.return_order (label_account, valid_to);
create index on hist.service_case (label_account, valid_to);

-- "What changed on this order": old versions of what belongs to it.
create index on hist.sales_order_line (order_id);
create index on hist.shipment (order_id);
create index on hist.invoice (order_id);
create index on hist.return_order (order_id);
create index on hist.service_case (order_id);
create index on hist.purchase_line (purchase_order_id);
create index on hist.receipt (purchase_order_id);
