-- Complaints about answers, to be looked at by a person: which answer, by whom, when, and the complaint's masked words.
-- What the answer said and how it was made stands in the audit; no value of a record comes here.
create table state.review (
    number       bigint generated always as identity primary key,
    subject      text not null,
    conversation uuid not null,
    audit_id     uuid not null,          -- of the answer complained about
    words        text not null,          -- masked
    opened_at    timestamptz not null,
    status       text not null default 'open' check (status in ('open', 'closed')),
    closed_at    timestamptz,
    closed_by    text,
    note         text,
    check ((status = 'closed') = (closed_at is not null and closed_by is not null and note is not null))
);
create unique index review_open on state.review (audit_id, subject) where status = 'open';
create index on state.review (subject, conversation);
grant select, insert, update (status, closed_at, closed_by, note) on state.review to copilot_state;
grant usage on schema state to copilot_auditor;
grant select on state.review to copilot_auditor;
