-- Templates that were submitted here, and what came into force of them and of the shipped ones: rows that are only ever
-- added, as those of the policy. All changes stand in one order, so that the last of them tells whether anything changed.
create table governance.prompt_text (
    id           text not null check (id ~ '^(claims|plan|draft)/[a-z][a-z0-9_]{0,63}$'),
    version      bigint not null check (version >= 1),
    sha256       text not null check (sha256 ~ '^[0-9a-f]{64}$'),  -- over the text
    author       text not null,
    why          text not null,
    text         text not null check (octet_length(text) <= 65536),
    submitted_at text not null,          -- as it was signed
    signature    bytea not null,         -- of the author
    primary key (id, version)
);

create table governance.prompt_change (
    sequence  bigint primary key,        -- no gaps: the one before plus one
    kind      text not null check (kind in ('approve', 'revoke', 'rollback', 'label')),
    id        text not null,             -- a shipped template has no row of its own
    version   bigint not null,
    sha256    text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    author    text not null,             -- of the text: the approver says whose they approve
    approver  text not null,
    why       text not null,
    until     text not null,             -- the last day of the approval, in UTC; '' where the kind has none
    label     text not null check (label in ('production', 'staging', '')),
    roles     text not null,             -- of a staged version: JSON list of names; empty for every role
    share     integer not null check (share between 0 and 100),  -- of people, in per cent
    suite     text not null,             -- what trying it came to: JSON of whole numbers and texts; '' where nothing was
    signed_at text not null,             -- as it was signed
    previous  text not null,             -- SHA-256 of the change before, with its signature; '' for the first
    signature bytea not null             -- of the approver
);

create trigger kept before update or delete or truncate on governance.prompt_text
    for each statement execute function governance.refuse();
create trigger kept before update or delete or truncate on governance.prompt_change
    for each statement execute function governance.refuse();

grant select, insert on governance.prompt_text, governance.prompt_change to copilot_governor;
grant select on governance.prompt_text, governance.prompt_change to copilot_app;
