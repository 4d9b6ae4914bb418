-- Working days after the promised day up to and including `done`, by the ISO weekdays and closed days of a site; 0 when
-- it was in time. A promise for a day on which the site is closed is kept on its next working day.
-- `closed` is the closed days as ",2026-12-25,2026-12-26,". Mirrored by Calendar.days_late in retrieval/calendar.py.
create function core.days_late(promised date, done date, weekdays text, closed text) returns int
    language sql immutable parallel safe strict cost 1000
    return case when done <= promised then 0 else greatest(0,
        (select count(*)::int from generate_series(1, least(done - promised, 4000)) as n
          where position(extract(isodow from promised + n)::text in weekdays) > 0
            and position((',' || (promised + n)::text || ',') in closed) = 0)
        - case when position(extract(isodow from promised)::text in weekdays) > 0
                and position((',' || promised::text || ',') in closed) = 0 then 0 else 1 end) end;
