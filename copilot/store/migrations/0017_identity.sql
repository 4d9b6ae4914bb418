-- One thing in several systems: by what records are recognised, what was doubtful, and what a person decided. See
-- copilot/adr/0012-identity.md.

-- Normal forms. A GTIN is kept as GTIN-14 and only with a check digit that is right: a typing error is no match.
create function core.gtin14(digits text) returns text
    language sql immutable parallel safe strict
    return case when digits ~ '^[0-9]{14}$' and digits <> '00000000000000' and (
        3 * (ascii(substr(digits, 1)) + ascii(substr(digits, 3)) + ascii(substr(digits, 5)) + ascii(substr(digits, 7))
            + ascii(substr(digits, 9)) + ascii(substr(digits, 11)) + ascii(substr(digits, 13)))
        + ascii(substr(digits, 2)) + ascii(substr(digits, 4)) + ascii(substr(digits, 6)) + ascii(substr(digits, 8))
        + ascii(substr(digits, 10)) + ascii(substr(digits, 12)) + ascii(substr(digits, 14)) - 28 * ascii('0')) % 10 = 0
        then digits end;

create function core.gtin_key(value text) returns text
    language sql immutable parallel safe strict
    return case when length(core.number_key(value)) in (8, 12, 13, 14)
        then core.gtin14(lpad(core.number_key(value), 14, '0')) end;

-- Too short or one repeated character ("N/A", "000000000") is what people type where there is no tax number.
create function core.tax_key(value text) returns text
    language sql immutable parallel safe strict
    return case when core.number_key(value) ~ '[0-9].*[0-9]' and length(core.number_key(value)) >= 5
        and ltrim(core.number_key(value), right(core.number_key(value), 1)) <> '' then core.number_key(value) end;

-- What records of all sources can be recognised by, those too that are not the ones shown. Kept for an entity as long
-- as some source has a rule, a label map or a decision for it.
create table core.identity_key (
    entity     text not null,
    source_id  bigint not null references core.source,
    source_key text not null,
    rule       text not null,                  -- the field: number, code, gtin, tax_number
    key        text collate "C" not null,
    primary key (entity, source_id, source_key, rule)
);
create index on core.identity_key (entity, rule, key);
grant select, insert, update, delete on core.identity_key to copilot_loader;

-- The sources whose records all have their keys above.
create table core.identity_keyed (
    entity    text not null,
    source_id bigint not null references core.source,
    primary key (entity, source_id)
);
grant select, insert, delete on core.identity_keyed to copilot_loader;

-- Records that rules could not decide on, as of the last sync of their source: a row for each candidate and rule.
create table core.identity_doubt (
    entity          text not null,
    source_id       bigint not null references core.source,
    source_key      text not null,
    reason          text not null check (reason in ('several', 'different', 'contested', 'contradicted')),
    other_source_id bigint not null references core.source,
    other_key       text not null,
    rule            text not null,
    primary key (entity, source_id, source_key, other_source_id, other_key, rule)
);
grant select, insert, delete on core.identity_doubt to copilot_loader;

-- What a person decided. Never changed: of two decisions about the same pair the later one governs. The pair is kept
-- with the lower (source_id, key) first, by keys that last, so that it outlives every row it speaks of.
create table core.identity_decision (
    id              bigint generated always as identity primary key,
    entity          text not null,
    source_id       bigint not null references core.source,
    source_key      text not null,
    other_source_id bigint not null references core.source,
    other_key       text not null,
    verdict         text not null check (verdict in ('same', 'different')),
    decided_by      text not null check (decided_by <> ''),
    decided_at      timestamptz not null,
    reason          text not null check (reason <> ''),
    check ((source_id, source_key collate "C") < (other_source_id, other_key collate "C"))
);
create index on core.identity_decision (entity, source_id, source_key);
grant select, insert on core.identity_decision to copilot_loader;

-- Records that stand under another one's row: few, and looked for at every sync.
create index on core.identity (entity, source_id) where decided_by <> 'first';
