-- Optional references that name a record which is not here. The row stands without them; as soon as the record comes,
-- the row is read again. A null key: the record was here and is gone, so what the source says now has to be asked.
create table core.unresolved (
    source_id  bigint not null references core.source,
    entity     text not null,
    source_key text not null,
    field      text not null,
    target     text not null,                  -- the entity that the field refers to
    target_key text,
    primary key (source_id, entity, source_key, field)
);
create index on core.unresolved (source_id, target, target_key);
grant select, insert, update, delete on core.unresolved to copilot_loader;
