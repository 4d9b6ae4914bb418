-- Rows that are there to be hidden: what the role that answers questions sees of them is tried at every start, see
-- copilot/store/enforcement.py. One table of one class, and one of many as biz.lookup is, behind the policies that guard
-- the business tables. No grant names their classes or their labels.

create table core.canary (
    id            bigint primary key,
    record_class  text not null check (record_class = 'canary'),
    label_region  bigint not null,
    label_site    bigint not null,
    label_channel bigint not null,
    label_account bigint not null
);

create table core.canary_of_many (
    id            bigint primary key,
    record_class  text not null,
    label_region  bigint not null,
    label_site    bigint not null,
    label_channel bigint not null,
    label_account bigint not null
);

call ddl.guard_rows('core.canary');
call ddl.guard_rows('core.canary_of_many');

insert into core.canary values
    (1, 'canary', 1, 1, 1, 1),
    (2, 'canary', 2, 1, 1, 1),
    (3, 'canary', 1, 2, 1, 1),
    (4, 'canary', 1, 1, 2, 1),
    (5, 'canary', 1, 1, 1, 2),
    (6, 'canary', 0, 0, 0, 0),
    (7, 'canary', -1, -1, -1, -1);
insert into core.canary_of_many select * from core.canary;
insert into core.canary_of_many values (8, 'decoy', 1, 1, 1, 1);
