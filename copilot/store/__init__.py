"""PostgreSQL: the pools, the migrations, the named SQL and the audit chain."""
