"""The semantic model: what a distributor's words mean, defined once."""
