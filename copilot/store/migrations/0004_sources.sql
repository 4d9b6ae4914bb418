-- Where the copy comes from and how fresh it is.
create table core.source (
    id         bigint generated always as identity primary key,
    name       text not null unique,
    system     text not null,                 -- which connector
    settings   jsonb not null default '{}',   -- never a secret
    label_map  jsonb not null default '{}',   -- {"region": {"company=1": "US"}, "site": {...}, "channel": {...}}
    added_at   timestamptz not null
);
grant select (id, name, system) on core.source to copilot_app, copilot_worker, copilot_auditor;
grant select, insert, update, delete on core.source to copilot_loader;

create table core.batch (
    id          bigint generated always as identity primary key,
    source_id   bigint not null references core.source,
    started_at  timestamptz not null,
    finished_at timestamptz,
    outcome     text check (outcome in ('merged', 'failed')),
    counts      jsonb not null default '{}',   -- per entity: read, changed, removed, quarantined
    error       text
);
grant select, insert, update on core.batch to copilot_loader;

create table core.cursor (
    source_id bigint not null references core.source,
    entity    text not null,
    value     text not null,
    primary key (source_id, entity)
);
grant select, insert, update, delete on core.cursor to copilot_loader;

-- A record is confirmed by its own row or, later, by the last successful sync of its entity.
create table core.coverage (
    source_id    bigint not null references core.source,
    entity       text not null,
    confirmed_at timestamptz not null,
    primary key (source_id, entity)
);
grant select on core.coverage to copilot_app;
grant select, insert, update, delete on core.coverage to copilot_loader;
grant select, insert, update on core.coverage to copilot_worker;

-- Items, customers, suppliers and sites are ours: every source's key for one maps onto it here.
create table core.identity (
    entity     text not null,
    source_id  bigint not null references core.source,
    source_key text not null,
    target_id  bigint not null,
    decided_by text not null,                  -- 'first' for the source that brought it, else a rule or a person
    primary key (entity, source_id, source_key)
);
create index on core.identity (entity, target_id);
grant select, insert, update, delete on core.identity to copilot_loader;

-- Rows that can't be placed. Nobody's question reaches them; the administrator sees how many and why.
create table core.quarantine (
    id         bigint generated always as identity primary key,
    batch_id   bigint not null references core.batch,
    source_id  bigint not null references core.source,
    entity     text not null,
    source_key text not null,
    reason     text not null,                  -- a code
    detail     text not null,
    found_at   timestamptz not null,
    label_region  bigint not null default 0,
    label_site    bigint not null default 0,
    label_channel bigint not null default 0,
    label_account bigint not null default 0,
    record_class  text not null,
    unique (source_id, entity, source_key)
);
alter table core.quarantine enable row level security;
alter table core.quarantine force row level security;
create policy owner on core.quarantine to copilot_owner using (true) with check (true);
create policy loader on core.quarantine to copilot_loader using (true) with check (true);
grant select, insert, update, delete on core.quarantine to copilot_loader;

-- Keys of all living records of an entity, for finding deletions.
create unlogged table stage.living_key (
    batch_id   bigint not null,
    entity     text not null,
    source_key text not null
);
create index on stage.living_key (batch_id, entity, source_key);
grant select, insert, delete on stage.living_key to copilot_loader;
