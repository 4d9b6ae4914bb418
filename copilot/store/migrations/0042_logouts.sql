-- Logout tokens that were acted on, until they would be too old anyway: each is good for once, in whatever process.
create table directory.logout (
    issuer  text not null,
    token   text not null,             -- the claim `jti`
    ends_at timestamptz not null,
    primary key (issuer, token)
);
create index on directory.logout (ends_at);
grant select, insert, delete on directory.logout to copilot_identity;
