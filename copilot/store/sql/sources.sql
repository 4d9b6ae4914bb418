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

-- name: source_last_syncs
-- When each source was last synced: a live confirmation makes a batch too, but covers no entity.
select s.name,
       coalesce((select max(c.confirmed_at) from core.coverage c where c.source_id = s.id),
                (select max(b.finished_at) from core.batch b
                  where b.source_id = s.id and b.outcome = 'merged')) as synced_at
  from core.source s
