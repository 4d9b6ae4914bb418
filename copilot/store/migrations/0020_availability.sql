-- What is available and what can be promised, published per item and site for everybody who may see stock there.
-- copilot/semantic/model/stock.yaml says what the fields mean, copilot/adr/0020-published-stock.md why so.

create table biz.availability (
    like ddl.record including all,
    item_id bigint not null,
    site_id bigint not null,
    on_hand bigint,
    reserved bigint,
    available bigint,
    in_transit bigint,
    unit text,
    governed_by text,
    agrees boolean,
    demand bigint,
    incoming bigint,
    late_incoming bigint,
    promised boolean,
    live boolean,
    use_until date,
    use_days integer,
    daily_use bigint,
    yearly_use bigint,
    mean_stock bigint,
    days_of_supply bigint
);
create unique index on biz.availability (item_id, site_id);
create index on biz.availability (item_id);
create index on biz.availability (site_id);
call ddl.guard('availability', 'stock');

create table biz.atp_bucket (
    like ddl.record including all,
    item_id bigint not null,
    site_id bigint not null,
    day date not null,
    kind text not null,
    receipts bigint,
    demand bigint,
    balance bigint,
    promisable bigint,
    unit text
);
create unique index on biz.atp_bucket (item_id, site_id, day);
create index on biz.atp_bucket (item_id);
create index on biz.atp_bucket (site_id);
call ddl.guard('atp_bucket', 'stock');

do $$
declare
    name text;
begin
    foreach name in array array['availability', 'atp_bucket'] loop
        execute format('create policy worker_writes on biz.%I to copilot_worker using (true) with check (true)', name);
        execute format('grant insert, update, delete on biz.%I to copilot_worker', name);
        execute format('create policy worker_writes on hist.%I for insert to copilot_worker with check (true)', name);
        execute format('grant insert on hist.%I to copilot_worker', name);
        execute format('drop table stage.%I', name);  -- no source delivers it
    end loop;
end $$;

-- Up to which moment what is published took account of changes, and by which rules: other rules, everything anew.
create table core.derived (
    name text primary key,
    moment timestamptz not null,
    rules text not null
);
grant select, insert, update on core.derived to copilot_worker;
grant select (id, name, purpose) on core.source to copilot_worker;
