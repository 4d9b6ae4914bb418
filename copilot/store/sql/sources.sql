-- name: source_states
-- Each source with its last good sync, how its last sync ended and how much it has in quarantine.
select s.name, s.system,
       (select max(b.finished_at) from core.batch b where b.source_id = s.id and b.outcome = 'merged') as synced_at,
       last.outcome, last.error,
       (select count(*)::int from core.quarantine q where q.source_id = s.id) as quarantined
  from core.source s
  left join lateral (select b.outcome, b.error from core.batch b
                      where b.source_id = s.id order by b.id desc limit 1) as last on true
 order by s.id
