-- Conversations hold masked text and the plan that answered, never a value: opened again, they are answered again
-- under the reader's scope of that day.
create table state.conversation (
    id         uuid primary key,
    subject    text not null,
    channel    text not null,
    title      text not null,          -- masked
    started_at timestamptz not null,
    touched_at timestamptz not null
);
create index on state.conversation (subject, touched_at);
create table state.turn (
    conversation_id uuid not null references state.conversation on delete cascade,
    position        integer not null,
    asked_at        timestamptz not null,
    question        text not null,     -- masked
    plan            jsonb,             -- null where nothing could be planned
    verdict         text not null,
    reason          text,
    audit_id        uuid not null,
    primary key (conversation_id, position)
);
create table state.feedback (
    audit_id   uuid not null,
    subject    text not null,
    helpful    boolean not null,
    comment    text,                   -- masked
    given_at   timestamptz not null,
    primary key (audit_id, subject)
);
grant select, insert, update, delete on state.conversation, state.turn, state.feedback to copilot_state;
