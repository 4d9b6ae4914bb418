-- Who comes in through an identity provider: which of its accounts is which person, what it last said of the account,
-- and the sessions that go on from a sign-in. The role that keeps them writes here and reads no business record.
create table directory.identity (
    issuer       text not null,
    external     text not null,             -- the provider's own name of the account: the claim `sub`
    subject      text not null references directory.person on delete cascade,
    groups       text[] not null default '{}',
    enabled      boolean not null default true,
    confirmed_at timestamptz not null,      -- when the provider last said so
    primary key (issuer, external)
);
create index on directory.identity (subject);

-- The browser holds the secret, the table its hash; what the provider entrusted to us is sealed under a key outside.
create table directory.session (
    hash             bytea primary key,
    family           uuid not null,         -- one for all that one sign-in goes on as
    subject          text not null references directory.person on delete cascade,
    issuer           text not null,
    external         text not null,
    provider_session text,                  -- the claim `sid`, by which the provider ends it
    sealed           bytea not null,        -- refresh token and id token
    started_at       timestamptz not null,  -- of the sign-in
    issued_at        timestamptz not null,  -- of this secret
    replaced_at      timestamptz,           -- when another secret took its place
    ends_at          timestamptz not null,
    ended_at         timestamptz
);
create index on directory.session (family);
create index on directory.session (subject);
create index on directory.session (issuer, external);
create index on directory.session (ends_at);

grant select on directory.identity to copilot_app;
grant usage on schema directory to copilot_identity;
grant select, insert, update (name) on directory.person to copilot_identity;
grant select, insert, update (groups, enabled, confirmed_at) on directory.identity to copilot_identity;
grant select, insert, update (replaced_at, ended_at, sealed, ends_at), delete on directory.session to copilot_identity;
