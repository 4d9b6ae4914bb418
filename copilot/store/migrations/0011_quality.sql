-- What the checks of the copied data found, per batch. Keys of failing rows only, never what they hold.
create table core.quality (
    batch_id     bigint not null references core.batch,
    source_id    bigint not null references core.source,
    entity       text not null,
    check_id     text not null,
    rows         bigint not null,
    failing      bigint not null check (failing between 0 and rows),
    example_keys text[] not null default '{}' check (cardinality(example_keys) <= 5),
    checked_at   timestamptz not null,
    primary key (batch_id, entity, check_id)
);
create index on core.quality (source_id, check_id, batch_id);
grant select, insert, delete on core.quality to copilot_loader;
