-- Erasures of people. The list of all is in the data folder, outside of any database and its backups; here stands which of
-- them were brought about in this database, so that one that is restored from before an erasure is told by itself.
create table directory.erasure (
    id         text primary key,
    applied_at timestamptz not null
);

create index entry_erasure on audit.entry (id) where kind = 'erasure'; -- looked for at starts that find them missing

alter table directory.person add column erased boolean not null default false; -- and not let in again since

-- Lines stay and say what they said, but that an erasure takes the name of a person out of those about them.
create or replace function directory.log_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - 'told' = to_jsonb(old) - 'told' and new.told = old.told - 'name' then
            return new;
        end if;
    end if;
    raise exception 'the log of the directory is only added to';
end $$;
drop trigger log_stays on directory.log;
create trigger log_stays before delete or truncate on directory.log
    for each statement execute function directory.log_stays();
create trigger log_words_stay before update on directory.log
    for each row execute function directory.log_stays();
