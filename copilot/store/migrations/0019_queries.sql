-- Working days after the promised day up to and including `done`, by the ISO weekdays ("12345") and closed days
-- ("2026-12-25,2026-12-26") of a site; 0 when it was in time. A promise for a day on which the site is closed is kept on
-- its next working day. Mirrored by Calendar.days_late in retrieval/calendar.py.
create function core.days_late(promised date, done date, weekdays text, closed text) returns int
    language plpgsql immutable parallel safe strict cost 1000 as $$
declare
    week text := translate('1234567', weekdays, repeat('x', length(weekdays)));
    days int := done - promised;
    worked int;
    closures date[];
begin
    if days <= 0 then
        return 0;
    end if;
    worked := days / 7 * length(weekdays) + days % 7 - length(replace(
        substr(week || week, extract(isodow from promised)::int + 1, days % 7), 'x', ''));
    closures := string_to_array(nullif(closed, ''), ',')::date[];
    if closures is not null then
        worked := worked - (select count(*) from unnest(closures) as c (day)
                             where c.day > promised and c.day <= done
                               and position(extract(isodow from c.day)::text in weekdays) > 0);
    end if;
    if position(extract(isodow from promised)::text in weekdays) = 0 or promised = any (closures) then
        worked := worked - 1;
    end if;
    return greatest(worked, 0);
end $$;
