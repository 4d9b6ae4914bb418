-- Versions of the policy and what came into force: rows that are only ever added. The keys that sign them are with the
-- people who approve, neither here nor on the server; the file that says whose public key is whose lies outside too.
create schema governance;

create table governance.policy_version (
    number       bigint primary key,     -- no gaps: the one before plus one
    digest       text not null check (digest ~ '^[0-9a-f]{64}$'),  -- SHA-256 over the documents
    documents    jsonb not null,         -- file -> text
    author       text not null,
    why          text not null,
    submitted_at text not null,          -- as it was signed
    signature    bytea not null          -- of the author
);

create table governance.policy_change (
    sequence  bigint primary key,        -- no gaps: the one before plus one
    kind      text not null check (kind in ('approve', 'rollback')),
    version   bigint not null references governance.policy_version,
    approver  text not null,
    why       text not null,
    signed_at text not null,             -- as it was signed
    previous  text not null,             -- SHA-256 of the change before, with its signature; '' for the first
    signature bytea not null             -- of the approver
);

create function governance.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'rows of %.% are never changed or removed', tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
create trigger kept before update or delete or truncate on governance.policy_version
    for each statement execute function governance.refuse();
create trigger kept before update or delete or truncate on governance.policy_change
    for each statement execute function governance.refuse();

grant usage on schema governance to copilot_governor, copilot_app;
grant select, insert on governance.policy_version, governance.policy_change to copilot_governor;
grant select on governance.policy_version, governance.policy_change to copilot_app;
