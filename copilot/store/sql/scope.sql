-- name: set_scope
-- What the row policies read, for this transaction only.
select set_config('copilot.classes', %(classes)s, true), set_config('copilot.scope', %(scope)s, true)

-- name: limit_statements
-- No question may hold a connection for longer, and none changes anything.
select set_config('statement_timeout', %(timeout)s, false), set_config('default_transaction_read_only', 'on', false)
