-- What a source is for, which is how policy says whose figure counts, and how often it is synced.
alter table core.source
    add column purpose text not null default 'erp'
        check (purpose in ('erp', 'wms', 'commerce', 'logistics', 'files')),
    add column every_minutes int check (every_minutes > 0);   -- null: as often as its kind is by itself
update core.source set purpose = 'wms' where system = 'demo_wms';
grant select (purpose) on core.source to copilot_app, copilot_worker, copilot_auditor;
