-- Grants of fewer record classes than the role's, delegations, service accounts, and a log of every change to them.
alter table directory.grant add column classes text[];  -- null: every class of the role
alter table directory.person add column service boolean not null default false; -- comes in by a token of ours, to the API

-- Somebody's own grants of a role, given to somebody else for a while. They are joined at each question, so the taker
-- never has more than the giver has at that moment; and only grants are joined, so what was taken can't be passed on.
create table directory.delegation (
    id         bigint generated always as identity primary key,
    giver      text not null references directory.person,
    taker      text not null references directory.person,
    role       text not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null,
    check (giver <> taker),
    check (valid_from <= valid_to and valid_to <= valid_from + interval '2160 hours')
);
create index on directory.delegation (taker);

-- The token itself is shown once and kept nowhere.
create table directory.service_token (
    hash      bytea primary key,
    subject   text not null unique references directory.person on delete cascade,
    issued_at timestamptz not null,
    ends_at   timestamptz not null
);

create table directory.log (
    id       bigint generated always as identity primary key,
    at       timestamptz not null,
    operator text not null,
    action   text not null,
    subject  text not null,
    told     jsonb not null
);
create index on directory.log (subject);

create function directory.log_stays() returns trigger language plpgsql as $$
begin
    raise exception 'the log of the directory is only added to';
end $$;
create trigger log_stays before update or delete or truncate on directory.log
    for each statement execute function directory.log_stays();

grant select on directory.delegation, directory.service_token to copilot_app;
