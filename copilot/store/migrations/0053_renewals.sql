-- Sessions whose provider is being asked again just now, each by one of those who would: a refresh token is good for one
-- use. A row and not a lock, so that no connection is held while a provider takes its time.
create table directory.renewal (
    family uuid primary key,
    until  timestamptz not null   -- whoever has not come back by then never will
);
grant select, insert, update, delete on directory.renewal to copilot_identity;
