"""SQL databases as sources, by a mapping, through SQLAlchemy."""
