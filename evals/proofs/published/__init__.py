"""published: what is worked out over everything and published is the same figure for everybody who may read it."""
