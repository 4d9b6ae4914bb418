-- What was asked, decided and answered: a chain of rows that only grows. Each row carries the hash of the one before;
-- copilot/store/audit_chain.py says over what. Values are in audit.blob, sealed; their keys never come here.
create table audit.entry (
    id              bigint primary key,      -- no gaps: the one before plus one
    audit_id        uuid not null unique,    -- what an answer shows of this row
    at              timestamptz not null,
    subject         text not null,
    channel         text not null,
    conversation    uuid,
    masked_question text not null,
    kind            text,
    plan            jsonb,                   -- references only
    records         jsonb not null,          -- [{ref, entity, row_id, system, key, version}]
    verdict         text not null,
    reason          text,
    engine          text not null,
    claims          jsonb not null,          -- [{claim, refs, verdict}]
    policy          jsonb not null,          -- {subject, roles, labels, classes, version, outcome}
    sealed          jsonb not null,          -- [{kind, key, cipher, plain}]: digests of the row's blobs
    elapsed_ms      integer not null,
    prev_hash       bytea not null,
    hash            bytea not null,
    stamp           bytea not null           -- the hash under a key that the database doesn't know
);

-- Without a foreign key to entry: checking it would write to the entry's tuple again, and the chain holds the digests.
create table audit.blob (
    entry_id   bigint not null,
    kind       text not null,
    key_id     text not null,
    nonce      bytea not null,
    ciphertext bytea not null,
    primary key (entry_id, kind)
);
alter table audit.blob alter ciphertext set storage external;  -- what is sealed doesn't compress

create function audit.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'rows of %.% are never changed or removed', tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
create trigger kept before update or delete or truncate on audit.entry
    for each statement execute function audit.refuse();
create trigger kept before update or delete or truncate on audit.blob
    for each statement execute function audit.refuse();

create function audit.follow() returns trigger language plpgsql as $$
declare
    last record;
begin
    select e.id, e.hash into last from audit.entry e order by e.id desc limit 1;
    if new.id <> coalesce(last.id, 0) + 1 or (last.id is not null and new.prev_hash <> last.hash) then
        raise exception 'row % does not follow row %', new.id, coalesce(last.id, 0)
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger follows before insert on audit.entry for each row execute function audit.follow();

-- The head of the chain, none for an empty one, and the right to append to it until the transaction ends. A function,
-- so that the head is read by a statement that starts after the lock is there. Who stalls with it is cut off.
create function audit.chain_head() returns table (id bigint, hash bytea) language plpgsql set lock_timeout = '5s' as $$
begin
    perform set_config('idle_in_transaction_session_timeout', '5s', true);
    perform pg_advisory_xact_lock(7022);
    return query select e.id, e.hash from audit.entry e order by e.id desc limit 1;
end $$;

revoke execute on all functions in schema audit from public;
grant execute on function audit.chain_head() to copilot_audit_writer;
grant insert, select (id, hash) on audit.entry to copilot_audit_writer;
grant insert on audit.blob to copilot_audit_writer;
grant select on audit.entry, audit.blob to copilot_auditor;

-- A turn's position is counted where two turns at once wait for each other: in their conversation's row.
alter table state.conversation add column turns integer not null default 0;
create index on state.turn (audit_id);
