-- name: set_scope
-- The labels and classes that the row policies read, for this transaction only.
select set_config('copilot.classes', %(classes)s, true),
       set_config('copilot.regions', %(regions)s, true),
       set_config('copilot.sites', %(sites)s, true),
       set_config('copilot.channels', %(channels)s, true),
       set_config('copilot.accounts', %(accounts)s, true)

-- name: limit_statements
-- No question may hold a connection for longer.
select set_config('statement_timeout', %(timeout)s, false)
