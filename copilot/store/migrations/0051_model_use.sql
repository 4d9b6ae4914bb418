-- What was used of models, by day in UTC: of each person, role and the company that a budget speaks of. Counts and no
-- word of what was asked.
create table state.model_use (
    day     date not null,
    per     text not null check (per in ('person', 'role', 'company')),
    name    text not null,
    tokens  bigint not null check (tokens >= 0),
    micros  bigint not null check (micros >= 0),   -- millionths of the currency
    primary key (day, per, name)
);
grant select, insert, update, delete on state.model_use to copilot_state;
