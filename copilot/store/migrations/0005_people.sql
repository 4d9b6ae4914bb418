-- People and what they were granted. A null array means every one of that kind.
create table directory.person (
    subject     text primary key,
    name        text not null,
    home_region bigint,
    disabled    boolean not null default false,
    demo        boolean not null default false
);
create table directory.grant (
    id         bigint generated always as identity primary key,
    subject    text not null references directory.person on delete cascade,
    role       text not null,
    regions    bigint[],
    sites      bigint[],
    channels   bigint[],
    accounts   bigint[],
    valid_from timestamptz not null,
    valid_to   timestamptz
);
create index on directory.grant (subject);
grant select on directory.person, directory.grant to copilot_app;
